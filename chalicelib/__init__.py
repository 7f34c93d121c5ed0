"""Work reports of China's townships as validated, citable open data. The way of a report through the packages:

decode      bytes → text, of any charset and format
reading     text → clean page → what report it is → section tree → quantities → indicators → record
ingestion   an upload, whatever triggers it → a published report, a question to the publisher, or a refusal
storage     objects and a key-value table: files and SQLite on one machine, S3 and DynamoDB on AWS
catalog     the table's layout, and every question that the data answers
web         HTTP over the catalog: routes, checks, replies, the contract, and the server of one machine
bulk        everything as files for researchers
"""
