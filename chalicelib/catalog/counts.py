"""How many reports and figures there are by year, province and concept, as the last export counted them."""

OBJECT = "bulk/counts.ndjson"
