"""What a user of the other explorers has to write for each model: shared state, what each thread does, what must hold.

`m` is the module of the model, `s` the shared state. racelint is given none of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """`state` are keyword arguments of the shared state; a program that starts its own threads is one worker."""

    state: str
    workers: tuple[str, ...]
    holds: str
    program: bool = False


def _program(call: str, holds: str) -> Spec:
    return Spec("result=None", (f"s.result = {call}",), holds, program=True)


SPECS = {
    "abba_deadlock": Spec("x=m.Ledger()", ("s.x.debit()", "s.x.credit()"), "s.x.balance == 0"),
    "barrier_hang": _program("m.run()", "s.result == ['a', 'b']"),
    "barrier_race": Spec("x=m.Room()", ("s.x.enter()", "s.x.enter()"), "s.x.inside == 0"),
    "check_then_act": Spec("a=m._sessions.clear(), b=None", ("s.a = m.session()", "s.b = m.session()"), "s.a is s.b"),
    "closure_counter": _program("m.count_lines()", "s.result == 4"),
    "dataclass_account": Spec("x=m.Account('ada', 100)", ("s.x.deposit(10)", "s.x.withdraw(10)"), "s.x.balance == 100"),
    "dict_counter": Spec("x=m.Votes()", ("s.x.vote()", "s.x.vote()"), "s.x.votes == {'ada': 2}"),
    "executor_inside": _program("m.count_words()", "s.result == 10"),
    "four_preemptions": Spec("x=m.Handshake()", ("s.x.left()", "s.x.right()"), "not s.x.broken"),
    "import_time_lock": Spec("zero=setattr(m, '_registered', 0)", ("m.register()", "m.forget()"), "m._registered == 0"),
    "iterate_mutate": Spec("x=m.Weights(), t=0", ("s.t = s.x.total()", "s.x.put()"), "s.t in (3, 6)"),
    "lazy_singleton": Spec(
        "a=setattr(m.Registry, '_instance', None), b=None",
        ("s.a = m.Registry.instance()", "s.b = m.Registry.instance()"),
        "s.a is s.b",
    ),
    "logging_window": Spec("x=m.Stock()", ("s.x.sell()", "s.x.sell()"), "s.x.pieces == 8"),
    "lost_notify": Spec("x=m.Mailbox(), got=None", ("s.x.put()", "s.got = s.x.get()"), "s.got == 'hello'"),
    "lost_update": Spec("x=m.Counter()", ("s.x.increment()", "s.x.increment()"), "s.x.n == 2"),
    "lost_update_call": Spec("x=m.Till()", ("s.x.sell()", "s.x.sell()"), "s.x.total == 238"),
    "pop_if_any": Spec("x=m.Jobs()", ("s.x.take()", "s.x.take()"), "s.x.waiting == []"),
    "publish_then_fill": Spec("x=m.Tables(), a=0, b=0", ("s.a = s.x.square()", "s.b = s.x.square()"), "s.a == s.b"),
    "queue_empty": Spec("x=m.Inbox(), a=0, b=0", ("s.a = s.x.drain()", "s.b = s.x.drain()"), "s.a + s.b == 1"),
    "self_deadlock_chain": Spec("x=m.Cache()", ("s.x.get()", "s.x.get()"), "s.x._data == {'a': 'A'}"),
    "semaphore_deadlock": Spec("x=m.Printer()", ("s.x.print_both_sides()", "s.x.print_both_sides()"), "True"),
    "semaphore_two": Spec("x=m.Gate()", ("s.x.enter()", "s.x.enter()"), "s.x.count == 2"),
    "shared_generator": Spec("x=m.Tickets(), a=0, b=0", ("s.a = s.x.take()", "s.b = s.x.take()"), "s.a + s.b == 3"),
    "sleep_window": Spec("x=m.Turnstile()", ("s.x.enter()", "s.x.enter()"), "s.x.inside == 2"),
    "spin_loop": Spec("x=m.Box(), got=None", ("s.x.fill()", "s.got = s.x.read()"), "s.got == 7"),
    "split_section": Spec("x=m.Meter()", ("s.x.add()", "s.x.add()"), "s.x.get() == 2"),
    "stolen_wakeup": Spec("x=m.Buffer()", ("s.x.put_two()", "s.x.get()", "s.x.get()"), "s.x.items == []"),
    "thread_subclass": _program("m.run_workers()", "s.result == 3"),
    "three_threads": Spec("x=m.Table()", ("s.x.first()", "s.x.second()", "s.x.third()"), "True"),
    "timer_race": _program("m.Session().touch_for_a_while()", "s.result == -3"),
    "torn_pair": Spec(
        "x=m.Sensor(), got=None", ("s.x.update()", "s.got = s.x.read()"), "s.got in ((0, 32), (100, 212))"
    ),
    "transfer": Spec(
        "x=m.Bank()", ("s.x.transfer()", "s.x.transfer()"), "(s.x.ada.balance, s.x.bob.balance) == (80, 120)"
    ),
    "two_spenders": Spec("x=m.Purse()", ("s.x.earn()", "s.x.spend()", "s.x.spend()"), "s.x.money == 0"),
    "unlocked_stack": Spec("x=m.Stack()", ("s.x.push(1)", "s.x.push(2)"), "{s.x.pop(), s.x.pop()} == {1, 2}"),
    "unlocked_stack_pop": Spec(
        "x=m.Stack(), a=0, b=0", ("s.a = s.x.pop()", "s.b = s.x.pop()"), "{s.a, s.b} == {20, 30}"
    ),
    "safe_append_order": Spec(
        "x=m.Journal()", ("s.x.note_start()", "s.x.note_end()"), "sorted(s.x.lines) == ['end', 'start']"
    ),
    "safe_barrier": _program("m.run()", "s.result == [2, 4]"),
    "safe_bounded_buffer": Spec("x=m.Buffer(), got=0", ("s.x.put()", "s.got = s.x.get()"), "s.got == 1"),
    "safe_double_checked": Spec(
        "x=m.Tables(), a=0, b=0", ("s.a = s.x.square()", "s.b = s.x.square()"), "s.a == s.b == 4"
    ),
    "safe_executor": _program("m.total()", "s.result == 6"),
    "safe_idempotent_cache": Spec("x=m.Name(), a=0, b=0", ("s.a = s.x.key()", "s.b = s.x.key()"), "s.a == s.b"),
    "safe_locked_counter": Spec("x=m.Counter()", ("s.x.increment()", "s.x.increment()"), "s.x.value() == 2"),
    "safe_logging": Spec("x=m.Stock()", ("s.x.sell()", "s.x.sell()"), "s.x.pieces == 8"),
    "safe_ordered_locks": Spec(
        "x=m.Bank()", ("s.x.forward()", "s.x.back()"), "(s.x.ada.balance, s.x.bob.balance) == (95, 105)"
    ),
    "safe_queue_order": _program("m.run()", "sorted(s.result) == [0, 1, 4]"),
    "safe_reentrant": Spec("x=m.Tree(), n=0", ("s.x.add()", "s.n = s.x.size()"), "s.n in (0, 1)"),
    "safe_spin": Spec("x=m.Box(), got=None", ("s.x.fill()", "s.got = s.x.read()"), "s.got == 7"),
    "safe_thread_local": Spec("x=m.Context(), a=0, b=0", ("s.a = s.x.nest()", "s.b = s.x.nest()"), "s.a == s.b == 1"),
    "safe_timer": _program("m.guarded_sum()", "s.result == 45"),
}
