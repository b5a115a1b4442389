"""The types of what the server says about itself: settings, health and statistics.

All are plain dictionaries at run time, and a server may send more than stands here. Records are in ``records``.
"""

from typing import TypedDict


class ServerConfig(TypedDict):
    """What a server is set to."""

    version: str
    max_upload_size: int
    """Bytes."""
    max_upload_count: int
    """The server announces it and does not enforce it."""
    allowed_file_types: list[str]
    session_age: int
    """Seconds."""


class HealthCheck(TypedDict):
    """One thing the server needs, and whether it has it."""

    check: str
    healthy: bool
    error: str | None
    time_taken: float
    """Seconds."""


class GrantStats(TypedDict):
    """Grants by stage; amounts are decimals as text. Without an end a grant is neither active nor expired."""

    grant_count: int
    upcoming_count: int
    active_count: int
    expired_count: int
    agency_count: int
    funding_total: str
    funding_upcoming: str
    funding_active: str
    funding_expired: str
    funding_average: str


class PublicationStats(TypedDict):
    """Publications by stage; the average is a duration as text: days, hours, minutes, seconds."""

    publications_count: int
    draft_count: int
    submitted_count: int
    accepted_count: int
    journals_count: int
    review_average: str | None


class RequestStats(TypedDict):
    """Allocation requests by stage, and their service units; requests with changes requested are in no stage."""

    request_count: int
    request_pending_count: int
    request_approved_count: int
    request_declined_count: int
    request_upcoming_count: int
    request_active_count: int
    request_expired_count: int
    su_pending_total: float
    su_declined_total: float
    su_approved_total: float
    su_upcoming_total: float
    su_active_total: float
    su_expired_total: float
    su_requested_total: float
    su_awarded_total: float
    su_finalized_total: float
    days_pending_average: float | None
    days_active_average: float | None


class NotificationStats(TypedDict):
    """Notifications of the caller."""

    total: int
    unread: int
