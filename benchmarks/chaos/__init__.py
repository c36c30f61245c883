"""Processes are killed and frozen at random while everything is counted: is anything lost?"""
