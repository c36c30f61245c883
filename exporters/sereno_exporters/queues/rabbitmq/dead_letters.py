"""Which queues get the messages that others give up. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from sereno_exporters.queues.rabbitmq.snapshot import Binding, DeadLetterQueue, DeadLetters, Queue

_Address = tuple[str, str]


def dead_letters_of(sources: Iterable[Queue], known: Iterable[Queue], bindings: Iterable[Binding]) -> DeadLetters:
    """Follow each source's dead-letter exchange.

    Every queue bound to the exchange counts, whatever its routing key: which messages match is decided by keys and
    headers of messages that nobody has seen yet.

    Args:
        sources: the queues that are watched.
        known: all queues of their virtual hosts.
        bindings: all bindings of these.
    """
    by_address = {queue.address: queue for queue in known}
    bound = _by_source(bindings)
    found: dict[_Address, None] = {}
    targets: list[tuple[_Address, int]] = []
    for queue in sources:
        reached = _reached(queue, bound)
        if reached is None:
            continue
        there = [address for address in reached if address in by_address]
        targets.append((queue.address, len(there)))
        found.update(dict.fromkeys(address for address in there if address != queue.address))
    return DeadLetters(tuple(_as_dead_letter_queue(by_address[address]) for address in found), tuple(targets))


def has_named_exchange(queue: Queue) -> bool:
    """Whether bindings are needed to follow it."""
    return queue.dead_letters_to is not None and queue.dead_letters_to.exchange != ""


def _by_source(bindings: Iterable[Binding]) -> Mapping[_Address, Sequence[Binding]]:
    bound: dict[_Address, list[Binding]] = {}
    for binding in bindings:
        bound.setdefault((binding.vhost, binding.source), []).append(binding)
    return bound


def _reached(queue: Queue, bound: Mapping[_Address, Sequence[Binding]]) -> Sequence[_Address] | None:
    """The queues; None where it gives nothing on, or messages decide by their own keys."""
    to = queue.dead_letters_to
    if to is None:
        return None
    if to.exchange == "":  # the default exchange: the key is the queue's name
        return [(queue.vhost, to.routing_key)] if to.routing_key is not None else None
    queues: dict[_Address, None] = {}
    exchanges, waiting = {to.exchange}, [to.exchange]
    while waiting:
        for binding in bound.get((queue.vhost, waiting.pop()), ()):
            if binding.to_queue:
                queues[queue.vhost, binding.destination] = None
            elif binding.destination not in exchanges:
                exchanges.add(binding.destination)
                waiting.append(binding.destination)
    return list(queues)


def _as_dead_letter_queue(queue: Queue) -> DeadLetterQueue:
    known = [count for count in (queue.ready, queue.unacknowledged) if count is not None]
    return DeadLetterQueue(queue.vhost, queue.name, sum(known) if known else None)
