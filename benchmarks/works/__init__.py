"""One function for each benchmark; every module here is found by itself."""
