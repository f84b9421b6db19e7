"""Tables, one file a noun. Rules about them live in `metrics.actions`.

Times are datetimes; those of samples, and of what follows from samples, are Unix milliseconds and called so (`…_ms`).
"""

from metrics.models.access import Invitation, Token
from metrics.models.alert import Alert, Rule
from metrics.models.alert_event import AlertEvent
from metrics.models.alert_webhook import AlertWebhook
from metrics.models.annotation import Annotation, AnnotationTag
from metrics.models.calendar import Maintenance, MaintenanceSpan, Override, Schedule
from metrics.models.channel import Channel, Delivery
from metrics.models.dashboard import Dashboard, FormerSlug, Revision, Widget
from metrics.models.draft import Draft, DraftStep
from metrics.models.favourite import Favourite, FavouriteRoom, StartPage
from metrics.models.heartbeat import Heartbeat, Ping
from metrics.models.incident import Escalation, Incident, Sighting
from metrics.models.journal import AuditEntry, Transition
from metrics.models.link import Link
from metrics.models.log import LogHead
from metrics.models.notification import Notification, NotificationSettings, PushSubscription, VapidKey, Watch
from metrics.models.picture import Picture, PictureFetch
from metrics.models.probe import Probe
from metrics.models.push import IdempotencyKey
from metrics.models.rollup import HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress
from metrics.models.room import Attachment, Message, Reaction, Reading, Room, StoredFile
from metrics.models.screen import Screen
from metrics.models.series import Chunk, FutureSample, RunningTotal, Sample, Series
from metrics.models.session import Session
from metrics.models.silence import Silence, Withheld
from metrics.models.source import Run, Source
from metrics.models.team import Team

__all__ = [
    "Alert",
    "AlertEvent",
    "AlertWebhook",
    "Annotation",
    "AnnotationTag",
    "Attachment",
    "AuditEntry",
    "Channel",
    "Chunk",
    "Dashboard",
    "Delivery",
    "Draft",
    "DraftStep",
    "Escalation",
    "Favourite",
    "FavouriteRoom",
    "FormerSlug",
    "FutureSample",
    "Heartbeat",
    "HourChunk",
    "HourRollup",
    "IdempotencyKey",
    "Incident",
    "Invitation",
    "Late",
    "Link",
    "LogHead",
    "Maintenance",
    "MaintenanceSpan",
    "Message",
    "MinuteChunk",
    "MinuteRollup",
    "Notification",
    "NotificationSettings",
    "Override",
    "Picture",
    "PictureFetch",
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
    "Schedule",
    "Screen",
    "Series",
    "Session",
    "Sighting",
    "Silence",
    "Source",
    "StartPage",
    "StoredFile",
    "Team",
    "Token",
    "Transition",
    "VapidKey",
    "Watch",
    "Widget",
    "Withheld",
]
