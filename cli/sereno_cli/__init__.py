"""The command line: arguments, printing and exit codes. Only this package exits."""
