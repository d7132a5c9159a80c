"""The forms of the report, and what hostile strings do in them: nothing."""
