"""The laws of design/verdicts.md as properties that must hold for every input."""
