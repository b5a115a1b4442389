"""The client for tasks: public methods with their types. Each runs a flow, which is written once for both clients."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Unpack, cast, overload

import httpx

from ._config.call_options import NOT_GIVEN, NotGiven
from ._config.environment import settings
from ._config.options import checked_options
from ._config.retry_policy import RetryPolicy
from ._drivers.async_driver import AsyncDriver
from ._flows import auth, raw_http
from ._flows import records as record_flows
from ._flows.auth import AsyncProvider
from ._flows.raw_http import DEFAULT, Files, Headers, Params, Timeout
from ._generated.async_methods import AsyncMethods
from ._hints.former_names import explains_former_calls, understands_former_arguments
from ._listing.pages import Record
from ._listing.query import Key
from ._protocol.measured_file import Sent
from ._protocol.parameters import parameter_pairs
from ._protocol.uploads import Content
from ._redaction import redacted
from ._transport.tls_and_proxy import DEFAULT_LIMITS, Verify

if TYPE_CHECKING:
    from uuid import UUID  # 7 ms to import

    from keystone_client_core import Wanted
    from keystone_client_core.records import Attachment, User  # 7 ms more
    from typing_extensions import deprecated  # known to every type checker, and not imported at run time

    from ._async_plan import AsyncPlan
    from ._config.options import ClientOptions
    from ._flows.downloads import Target
    from ._generated.job_methods import Job

    class EnvironmentOptions(ClientOptions, total=False):
        """The arguments of the constructor that ``from_env`` passes on."""

        transport: httpx.AsyncBaseTransport | None
        event_hooks: Mapping[str, Sequence["AsyncHook"]] | None
        wrap_transport: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] | None

    class Options(EnvironmentOptions, total=False):
        """All arguments of the constructor after the URL."""

        token: str | None


AsyncHook: TypeAlias = Callable[[Any], Awaitable[object]]
"""A function that is called with a request or a response."""


class AsyncKeystoneClient(AsyncMethods):
    """A client for one Keystone server. It can be shared between tasks, on asyncio or trio.

    Args:
        url: The base URL, such as ``"http://localhost:8000"`` or, with a path, ``"https://host/keystone/api"``.
        token: An API token to send with every request, in place of a login.
        cid: The correlation id (a UUID) to send with every request, so that the server's logs show which requests
            came from this client. A new one if left out.
        timeout: The longest time in seconds for each of: connecting, sending, receiving, and waiting for a free
            connection. Or an ``httpx.Timeout``; ``None`` for no limit.
        retry: When and how often to retry a failed request; ``None`` for never.
        page_size: The number of records that a listing asks for in one request, from 1 to 1000, the server's maximum.
        max_response_size: The largest answer to read, in bytes after decompression; ``None`` for no limit. Files
            written by ``download_attachment`` are not limited.
        verify: Whether to check the server's certificate; or a file of CA certificates, or an ``ssl.SSLContext``.
        headers: Additional headers for every request.
        proxy: The URL of a proxy, or an ``httpx.Proxy``. If left out, the proxy that the environment names, if any.
        limits: The number of connections, as an ``httpx.Limits``.
        trust_env: Whether to take proxies and certificates from the environment.
        event_hooks: Functions to call once per try, as in httpx: ``{"request": [f], "response": [g]}``. They get the
            real request, credentials included, and may change its headers, but not its server; the body of a response
            has been read. What they raise ends the call and is not retried. In the async client they are awaited.
        wrap_transport: A function that gets the transport of each new connection and returns the one to use: for
            caches, tracing, other authentication. What it returns must not answer one user with another's records.
        transport: An httpx transport to send the requests with, in place of the network; for tests.

    Raises:
        InvalidURLError: The URL cannot be a base URL.
        InvalidCIDError: The correlation id is not a UUID.
        FieldError: Another argument has a wrong type or value.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(self, url: str, **options: Unpack[Options]) -> None: ...
        @overload
        @deprecated("write url= and verify=; base_url= and verify_ssl= end with 2.0")
        def __init__(self, *, base_url: str, verify_ssl: Verify = True, **options: Unpack[Options]) -> None: ...
        @overload
        @deprecated("write verify=; verify_ssl= ends with 2.0")
        def __init__(self, url: str, *, verify_ssl: Verify, **options: Unpack[Options]) -> None: ...

    @redacted
    @understands_former_arguments
    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        cid: "UUID | str | None" = None,
        timeout: float | httpx.Timeout | None = 15.0,
        retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008 - immutable
        page_size: int = 1000,
        max_response_size: int | None = 64 * 1024 * 1024,
        verify: Verify = True,
        headers: Mapping[str, str] | None = None,
        proxy: str | httpx.Proxy | None = None,
        limits: httpx.Limits = DEFAULT_LIMITS,
        trust_env: bool = True,
        event_hooks: "Mapping[str, Sequence[AsyncHook]] | None" = None,
        wrap_transport: "Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] | None" = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Check the arguments, which the class describes; nothing is sent, and no connection is opened."""
        options = checked_options(
            url,
            token=token,
            cid=cid,
            timeout=timeout,
            retry=retry,
            page_size=page_size,
            max_response_size=max_response_size,
            verify=verify,
            headers=headers,
            proxy=proxy,
            limits=limits,
            trust_env=trust_env,
            event_hooks=event_hooks,
            wrap_transport=wrap_transport,
            transport=transport,
        )
        driver = AsyncDriver(options, transport, f"{type(self).__name__}({options.base_url!r}, cid={options.cid!r})")
        self._use(driver, options)

    @classmethod
    @redacted
    def from_env(cls, **options: "Unpack[EnvironmentOptions]") -> Self:
        """Create a client from environment variables.

        These are ``KEYSTONE_URL``, and either ``KEYSTONE_TOKEN`` or ``KEYSTONE_USERNAME`` and ``KEYSTONE_PASSWORD``.
        Nothing is sent yet. With a password, the first call that needs a session logs in, and so does a call that
        finds the session over. ``is_authenticated``, ``retrieve_health`` and ``retrieve_version`` never log in;
        ``login`` replaces the credentials, and after ``logout`` nothing logs in by itself.

        Args:
            **options: Further arguments of the constructor.

        Returns:
            The client.

        Raises:
            FieldError: A variable is missing, or two of them contradict each other; the error shows names, not values.
            InvalidURLError: ``KEYSTONE_URL`` cannot be a base URL.
        """
        found = settings(os.environ)
        client = cls(found.url, token=found.token, **options)
        if found.credentials is not None:
            auth.log_in_when_needed(client._session, found.credentials)
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @redacted
    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | NotGiven | None = NOT_GIVEN,
        cid: "UUID | str | NotGiven | None" = NOT_GIVEN,
    ) -> Self:
        """Return a copy of this client that makes its calls with other options; nothing is sent.

        The copy shares the session, the connections and the throttle of the client: ``login``, ``logout`` and
        ``close()`` of the client hold for both, and closing the copy does nothing. Iterations and batches that began
        before keep the options they began with.

        Args:
            timeout: As in the constructor, ``None`` for no limit; that of this client if left out.
            headers: Headers to send in addition to those of this client, or in place of the ones of the same name.
            retry: As in the constructor, ``None`` for no retries; that of this client if left out.
            cid: The correlation id, a UUID; ``None`` for a new one; that of this client if left out.

        Returns:
            The copy.

        Raises:
            FieldError: An option has a wrong type or value, or a header is the client's to set.
            InvalidCIDError: The correlation id is not a UUID.
        """
        return self._copy(timeout=timeout, headers=headers, retry=retry, cid=cid)

    async def close(self) -> None:
        """Close the connections. The session on the server goes on. Closing twice is fine."""
        if self._owns_driver:
            await self._driver.close()

    @overload
    async def login(self, username: str, password: str) -> "User": ...

    @overload
    async def login(self, *, provider: "AsyncProvider") -> "User": ...

    @redacted
    @explains_former_calls
    async def login(
        self,
        username: str | None = None,
        password: str | None = None,
        *,
        provider: "AsyncProvider | None" = None,
    ) -> "User":
        """Log in and start a session; if that fails, an earlier session stays.

        Give either a username and a password, or a provider of both. With a provider, the client logs in again by
        itself when the session ends.

        Args:
            username: The username; the server distinguishes upper and lower case.
            password: The password. It is not kept, except by a client of ``from_env``, which logs in again with it.
            provider: A function that returns the username and the password as a tuple. It is called now, and once more
                whenever the session has ended, however many calls find out together. Those calls are then repeated in
                the new session, which is safe: the server rejected them before acting. ``logout``, or another
                ``login``, drops the provider. It must not use this client. In the async client it may be an async
                function; a plain function must not block there.

        Returns:
            The user who is now logged in.

        Raises:
            AuthenticationError: The credentials are wrong, or the session cookie could not be sent back to the server.
            FieldError: The client has a token, which the server would prefer to the session; or the arguments, or the
                result of the provider, are not a username and a password.
        """
        return cast("User", await self._run(auth.login(self._call(), username, password, provider)))

    @explains_former_calls
    async def logout(self) -> None:
        """End the session and drop its cookies; do nothing when not logged in."""
        await self._run(auth.logout(self._call()))

    @explains_former_calls
    async def is_authenticated(self) -> bool:
        """Ask the server whether this client is logged in: ``False`` only after a 401; any other failure raises."""
        return await self._run(auth.is_authenticated(self._call()))

    @explains_former_calls
    async def whoami(self) -> "User | None":
        """Fetch the user this client is logged in as; ``None`` if it is not logged in."""
        return cast("User | None", await self._run(auth.whoami(self._call())))

    @redacted
    @explains_former_calls
    async def http_get(
        self,
        endpoint: str,
        params: Params | None = None,
        *,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT,
    ) -> httpx.Response:
        """Send a GET request to an endpoint below the base URL.

        Args:
            endpoint: A path below the base URL, such as ``"version"`` or ``"/users/users/"``, or an absolute URL that
                begins with the base URL.
            params: Query parameters, as httpx takes them. A listing of Keystone ignores those it does not know.
            headers: Additional headers. ``Accept`` is ``*/*`` if left out.
            timeout: The timeouts of this request; those of the client if left out.

        Returns:
            The response as it came. A status such as 404 raises no exception.

        Raises:
            InvalidURLError: The endpoint is not below the base URL.
            FieldError: Another argument has a wrong type or value.
            TransportError: No answer arrived.

        Warns:
            UnknownParameterWarning: The endpoint is a listing, and the server would ignore a parameter.
        """
        return await self._run(raw_http.get(self._call(), endpoint, params, headers, timeout))

    @redacted
    @explains_former_calls
    async def http_post(
        self,
        endpoint: str,
        json: Any = None,
        *,
        data: Mapping[str, Any] | None = None,
        files: Files | None = None,
        params: Params | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT,
    ) -> httpx.Response:
        """Send a POST request, with ``json``, or ``data`` and ``files``; otherwise like ``http_get``."""
        body = raw_http.body(json, data, files)
        flow = raw_http.write(self._call(), "POST", endpoint, body, params, headers, timeout)
        return await self._run(flow)

    @redacted
    @explains_former_calls
    async def http_put(
        self,
        endpoint: str,
        json: Any = None,
        *,
        data: Mapping[str, Any] | None = None,
        files: Files | None = None,
        params: Params | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT,
    ) -> httpx.Response:
        """Send a PUT request, with ``json``, or ``data`` and ``files``; otherwise like ``http_get``."""
        body = raw_http.body(json, data, files)
        flow = raw_http.write(self._call(), "PUT", endpoint, body, params, headers, timeout)
        return await self._run(flow)

    @redacted
    @explains_former_calls
    async def http_patch(
        self,
        endpoint: str,
        json: Any = None,
        *,
        data: Mapping[str, Any] | None = None,
        files: Files | None = None,
        params: Params | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT,
    ) -> httpx.Response:
        """Send a PATCH request, with ``json``, or ``data`` and ``files``; otherwise like ``http_get``."""
        body = raw_http.body(json, data, files)
        flow = raw_http.write(self._call(), "PATCH", endpoint, body, params, headers, timeout)
        return await self._run(flow)

    @redacted
    @explains_former_calls
    async def http_delete(
        self,
        endpoint: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Files | None = None,
        params: Params | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT,
    ) -> httpx.Response:
        """Send a DELETE request, with ``json``, or ``data`` and ``files``, if need be; otherwise like ``http_get``."""
        body = raw_http.body(json, data, files)
        flow = raw_http.write(self._call(), "DELETE", endpoint, body, params, headers, timeout)
        return await self._run(flow)

    def http_iterate(
        self, endpoint: str, params: Params | None = None, *, page_size: int | None = None, limit: int | None = None
    ) -> AsyncGenerator[Record, None]:
        """Iterate over all records of any listing, also of one that is newer than this client.

        Args:
            endpoint: The listing: a path below the base URL, such as ``"allocations/requests"``.
            params: Query parameters, as the server takes them: filters, ``_search`` and ``_order``. They are not
                checked; where the server ignores one, it sends all records.
            page_size: The number of records per request, from 1 to 1000; the client's setting if left out.
            limit: The most records to return; all of them if left out.

        Returns:
            An iterator of records, for use with ``async for``.

        Raises:
            InvalidURLError: The endpoint is not below the base URL.
            FilterError: A parameter is the listing's own, such as ``_limit``, or is given twice.
            PaginationError: The listing cannot be completed: the server repeats or skips records.

        Warns:
            UnknownParameterWarning: The client knows the listing, and the server would ignore a parameter.
        """
        from ._listing import any_endpoint  # most programs never need it

        path, query = self._session.endpoint(endpoint), parameter_pairs(params)
        raw_http.warn_of_ignored(path, query, stacklevel=3)
        plan = any_endpoint.plan_any(self._call(), path, query, page_size, limit)
        return self._driver.stream(plan, True)

    @redacted
    async def plan(self, *wanted: "Wanted") -> "AsyncPlan":
        """Compare what is wanted with what is stored; nothing is written.

        Args:
            wanted: The records of each kind as a source wants them: ``Wanted("user", rows)``.

        Returns:
            The changes that lead to what is wanted, and what is refused. ``print`` it, then ``apply`` it.

        Raises:
            FieldError: An argument is no ``Wanted``, or two are for the same resource.
            PaginationError: A listing cannot be completed.
        """
        from ._async_plan import AsyncPlan  # most programs never need it
        from ._flows import plans

        return AsyncPlan(await self._run(plans.plan(self._call(), wanted)), self)

    async def create_attachment(
        self,
        *,
        request: Key,
        file: Content,
        name: str | None = None,
        filename: str | None = None,
        on_progress: Sent | None = None,
    ) -> "Attachment":
        """Attach a file to an allocation request.

        Args:
            request: The key of the allocation request.
            file: A path, bytes, or a file opened in binary mode.
            name: The name of the attachment's record; the file name if left out.
            filename: The file name. Needed for bytes, because the server checks the extension.
            on_progress: A function to call with the number of bytes sent and their total.

        Returns:
            The new record. Its ``file`` is a path in the server's storage, not a URL.

        Raises:
            FieldError: ``file`` is none of these, or there is no file name.
            ValidationError: The server does not accept files of this type or size.
        """
        flow = record_flows.create_attachment(
            self._call(), request, file, name=name, filename=filename, on_progress=on_progress
        )
        return cast("Attachment", await self._run(flow))

    async def download_attachment(self, pk: Key, to: "Target", *, on_progress: Sent | None = None) -> "Attachment":
        """Download the file of an attachment.

        Keystone's API serves no files. This works only where a web server in front of it publishes them below
        ``media/``. The file is requested without credentials and streamed.

        Args:
            pk: The key of the attachment.
            to: The path to write to, which gets the whole file or nothing; or a file opened in binary mode.
            on_progress: A function to call with the number of bytes received and their total, 0 if that is not known.

        Returns:
            The record of the attachment.

        Raises:
            NotFoundError: There is no such attachment, or its file is not published.
        """
        from ._flows import downloads  # most programs never need it

        flow = downloads.download(self._call(), pk, to, on_progress)
        return cast("Attachment", await self._run(flow))

    @asynccontextmanager
    async def batch(self, *, dry_run: bool = False) -> "AsyncIterator[Job]":
        """Collect actions in a ``with`` block and send them as one atomic job at its end: all are carried out, or none.

        If the block raises, or is empty, nothing is sent.

        Args:
            dry_run: Let the server carry out the job and undo it; the results look real.

        Yields:
            The job. Its methods are plain calls in both clients, because nothing is sent before the end of the block.

        Raises:
            JobError: An action failed, and nothing was written; the error names the action.
            ReferenceTokenError: A reference that cannot be resolved, or text that the server would take for one.
        """
        from ._bulk import job as batch_job  # most programs never need it
        from ._generated.job_methods import Job

        with batch_job.collecting(Job(dry_run)) as job:
            yield job
            await self._run(batch_job.send(self._call(), job))
