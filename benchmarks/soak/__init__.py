"""Hours under steady load: does anything grow that shouldn't?"""
