"""The same grading on a cluster of Ray: shards go out as tasks, and are kept and joined here."""
