"""Why a report was read as it was: every number with the rule that made it an indicator or refused it, as a page."""
