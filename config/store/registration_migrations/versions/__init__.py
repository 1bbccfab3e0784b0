"""The schemas in the order of their making; a file that was released is never edited."""
