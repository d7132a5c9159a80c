"""One module per collection: what is asked, with which permission and licence, and how far back it reaches."""
