"""Kinds of job: what there is to do for a tenant, each in a folder of its own; see ``processors.tenants.job``."""
