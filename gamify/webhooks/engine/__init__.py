"""Pure rules of delivery: what is wanted, where it may go, how it is signed, when it is tried again."""
