"""`manage.py` as a process that stays: a JSON list of arguments a line in, what the command printed or its error out.

Starting Django takes seconds where many tests run at once, and running a command does not.
"""

import io
import json
import os
import sys
from contextlib import redirect_stdout

os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard_project.settings"

import django
from django.core.management import CommandError, call_command
from django.db import close_old_connections

django.setup()
answers = sys.stdout
for line in sys.stdin:
    printed, error = io.StringIO(), ""
    with redirect_stdout(printed):
        try:
            call_command(*json.loads(line))
        except CommandError as refused:
            error = str(refused)
    close_old_connections()
    print(json.dumps({"printed": printed.getvalue(), "error": error}), file=answers, flush=True)
