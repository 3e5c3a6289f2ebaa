"""Files that rows come from and results go to, beside plain JSON Lines."""
