"""Cases of the normalised tables as data: records as they come on the wire, and the rows that they must become."""
