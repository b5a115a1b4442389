"""A tour of both clients, on a fake Keystone or on a real one.

    hatch run demo

By default it starts a fake and runs on that. With KEYSTONE_URL, KEYSTONE_USERNAME, KEYSTONE_PASSWORD and
KEYSTONE_ALLOW_WRITES=1 in the environment it runs on that server, and removes the records that it created.
"""

import asyncio
import os
import sys
from uuid import uuid4

from keystone_client import KeystoneError
from place import Place, SettingsError, choose_place
from telling import TourError, say, title
from tidy import remove_marked
from tour import take_tour
from tour_async import take_async_tour
from tour_import import take_import_tour


def take_all_tours(place: Place) -> None:
    """Run every tour and remove the records they created, also after an error."""
    mark = f"demo-{uuid4().hex[:8]}"
    title(f"A tour of the Keystone client on {place.what}")
    say(f"Everything made here has a name that begins with {mark!r}.")
    try:
        take_tour(place, mark)
        asyncio.run(take_async_tour(place, mark))
        take_import_tour(place, mark)
    finally:
        removed = remove_marked(place, mark)
        title(f"Removed what was left ({removed}).")


def main() -> int:
    """Run the tours. Return the exit status: 0 if every step had the expected result, else 1."""
    try:
        with choose_place(os.environ) as place:
            take_all_tours(place)
    except (KeystoneError, TourError, SettingsError) as error:
        print(f"\nThe tour broke off: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    title("The tour is over. Every step went as it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
