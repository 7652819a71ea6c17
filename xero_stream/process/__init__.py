"""Processes under a parent: started, restarted, stopped; and what a process does until its dependencies answer."""
