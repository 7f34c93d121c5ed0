"""Search in the texts of all reports, without a search engine: prepared segments that are read by ranges.

A segment holds the reports of one year and province: their texts, and which of them have which term.
"""
