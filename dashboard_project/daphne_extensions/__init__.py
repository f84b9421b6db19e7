"""Private parts of Daphne, Twisted and autobahn that this installation replaces; nothing else here touches any.

`ExtendedServer` is the interface: Daphne's server, whose parts are replaced once a self-test has shown that they fit.
Those that do not fit stay as they come with Daphne, and one line of the log says which and what that means.
"""

from dashboard_project.daphne_extensions.server import ExtendedServer

__all__ = ["ExtendedServer"]
