"""The types of what the server reports about itself: settings, health and statistics.

All are plain dictionaries at run time, and a server may send more keys than these. Records are in ``records``.
"""

from typing import TypedDict


class ServerConfig(TypedDict):
    """The settings of a server that concern its clients."""

    version: str
    max_upload_size: int
    """The largest upload in bytes."""
    max_upload_count: int
    """The most files in one upload. The server announces this limit but does not enforce it."""
    allowed_file_types: list[str]
    session_age: int
    """The time in seconds after which a session expires."""


class HealthCheck(TypedDict):
    """The state of one service that the server depends on."""

    check: str
    healthy: bool
    error: str | None
    time_taken: float
    """The duration of the check in seconds."""


class GrantStats(TypedDict):
    """Grants by stage. Amounts are decimals as text. A grant without an end date is neither active nor expired."""

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
    """Publications by stage. The average is a duration as text, with days, hours, minutes and seconds."""

    publications_count: int
    draft_count: int
    submitted_count: int
    accepted_count: int
    journals_count: int
    review_average: str | None


class RequestStats(TypedDict):
    """Allocation requests by stage, and their service units. Requests with changes requested count in no stage."""

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
    """The numbers of the caller's notifications."""

    total: int
    unread: int
