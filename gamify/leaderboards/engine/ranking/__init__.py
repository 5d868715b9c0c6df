"""Pure rules of ranking: places, ranges and drafts of scores. README.md explains them."""
