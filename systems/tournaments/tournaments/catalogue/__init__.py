"""The tournaments: what there is, and how many tickets of each are sold, as events tell it."""
