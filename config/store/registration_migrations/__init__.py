"""The schemas of the store of registrations, a file of its own: each REGISTER changes it, and it may be lost."""
