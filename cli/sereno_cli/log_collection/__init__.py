"""`sereno collect logs`: what is asked for is checked first, then a collector is put together and runs."""
