"""Rules of alerts: conditions, a file each, and the states that follow from samples. Pure, all of it."""
