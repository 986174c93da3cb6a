"""Turns of loops are counted: one that turns until another thread has done something makes room for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tasks import Task, earliest

if TYPE_CHECKING:
    from .control import Control

SPIN_TURNS = 100
SPIN_ROUNDS = 40
SETUP_TURNS = 200_000


def turn(control: Control, site: int) -> None:
    """A turn of a loop begins; one that turns without end (a spin loop) makes room for the others."""
    task = control.current
    if task is control.main:
        _turn_of_setup(control, task, site)
        return
    control.steps += 1
    if control.steps > control.step_limit or control.aborting:
        control.give_up("steps")
    if task.spin_site != site:
        _enter(task, site)
        control.turned = True
    task.spins += 1
    if task.spins > (2 if task.spinning else SPIN_TURNS):
        task.spins, task.spinning, control.spun = 0, True, True
        _make_room(control, task)


def _turn_of_setup(control: Control, task: Task, site: int) -> None:
    """Nobody makes the loop end that the set-up turns in: there are no others yet."""
    task.spins = task.spins + 1 if task.spin_site == site else 1
    task.spin_site = site
    if task.spins > SETUP_TURNS and not control.tasks:
        control.give_up("it turns in a loop for ever")


def _enter(task: Task, site: int) -> None:
    """The turn is of another loop than the last: one that begins, or one around it, which goes on counting."""
    around = task.around
    for depth in range(len(around) - 1, -1, -1):
        outer, turns, spinning = around[depth]
        if outer == site:
            task.around = around[:depth]
            task.spin_site, task.spins, task.spinning = outer, turns, spinning
            return
    if task.spin_site:
        task.around = (*around, (task.spin_site, task.spins, task.spinning))
    task.spin_site, task.spins, task.spinning = site, 0, False


def _make_room(control: Control, task: Task) -> None:
    """The running thread spins: others go on, or those whose waits expire; where all spin, not for ever."""
    choice = control.choices()
    others = [other for other in choice.ready if other is not task and not other.spinning]
    if others or not all(other.spinning for other in choice.timed):
        control.spin_rounds = 0
        control.switch(others[0] if others else min(choice.timed, key=earliest))
        return
    control.spin_rounds += 1
    if control.spin_rounds > SPIN_ROUNDS:
        control.give_up("spins")
    spinning = [other for other in (*choice.ready, *choice.timed) if other is not task]
    if spinning:
        control.switch(spinning[control.spin_rounds % len(spinning)])
