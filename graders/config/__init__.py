"""What a user may write, as frozen data in the hosted API's words, and how it is read."""
