"""What a process that others are forked from has imported: all of the services, and no module that is run as the main one."""

import gc

import cli.application
import cli.deployment.command
import cli.doctor.command
import cli.grants.command
import cli.processors
import cli.receiver
import cli.simulator
import processors.app
import receiver.app
import simulator.app
import tests.support.forked

__all__ = ["cli", "processors", "receiver", "simulator", "tests"]

# What is here now is never collected: a collection in a child would copy every page that it shares.
gc.collect()
gc.freeze()
