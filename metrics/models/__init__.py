"""Tables, one file a noun. Rules about them live in `metrics.actions`."""

from metrics.models.access import Invitation, Token
from metrics.models.alert import Alert, Rule
from metrics.models.dashboard import Dashboard, FormerSlug, Revision, Widget
from metrics.models.draft import Draft, DraftStep
from metrics.models.favourite import Favourite, StartPage
from metrics.models.heartbeat import Heartbeat, Ping
from metrics.models.journal import AuditEntry, Transition
from metrics.models.log import LogHead
from metrics.models.notification import Notification, NotificationSettings, PushSubscription, VapidKey, Watch
from metrics.models.probe import Probe
from metrics.models.push import IdempotencyKey
from metrics.models.rollup import HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress
from metrics.models.room import Attachment, Message, Reaction, Reading, Room, StoredFile
from metrics.models.series import Chunk, FutureSample, RunningTotal, Sample, Series
from metrics.models.session import Session
from metrics.models.source import Run, Source
from metrics.models.team import Team

__all__ = [
    "Alert",
    "Attachment",
    "AuditEntry",
    "Chunk",
    "Dashboard",
    "Draft",
    "DraftStep",
    "Favourite",
    "FormerSlug",
    "FutureSample",
    "Heartbeat",
    "HourChunk",
    "HourRollup",
    "IdempotencyKey",
    "Invitation",
    "Late",
    "LogHead",
    "Message",
    "MinuteChunk",
    "MinuteRollup",
    "Notification",
    "NotificationSettings",
    "Ping",
    "Probe",
    "Progress",
    "PushSubscription",
    "Reaction",
    "Reading",
    "Revision",
    "Room",
    "Rule",
    "Run",
    "RunningTotal",
    "Sample",
    "Series",
    "Session",
    "Source",
    "StartPage",
    "StoredFile",
    "Team",
    "Token",
    "Transition",
    "VapidKey",
    "Watch",
    "Widget",
]
