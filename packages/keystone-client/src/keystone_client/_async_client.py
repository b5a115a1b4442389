"""The client for tasks: typed doors only. What they lead to is in the flows, written once for both clients."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack, cast, overload

import httpx

from ._config.environment import Credentials, settings
from ._config.options import checked_options
from ._config.retry_policy import RetryPolicy
from ._flows import auth, raw_http
from ._flows import records as record_flows
from ._flows.auth import AsyncProvider
from ._flows.raw_http import ReadOptions, WriteOptions
from ._generated.async_methods import AsyncMethods
from ._listing.query import Key
from ._protocol.bodies import Content, Sent
from ._protocol.call import Call
from ._redaction import redacted
from ._transport.tls_and_proxy import DEFAULT_LIMITS, Verify

if TYPE_CHECKING:
    from uuid import UUID  # 7 ms to import

    from keystone_client_core.records import Attachment, User  # as long again

    from ._flows.downloads import Target
    from ._generated.job_methods import Job


class AsyncKeystoneClient(AsyncMethods):
    """A client for one Keystone server, to be shared between tasks, on asyncio or trio.

    Args:
        url: The base URL: ``"http://localhost:8000"``, also with a path: ``"https://host/keystone/api"``.
        token: A token to be sent with every request, instead of a login.
        cid: A correlation id to adopt, a UUID; a new one if left out. The server's logs carry it.
        timeout: Seconds for connecting, sending, receiving and waiting for a connection each, or an ``httpx.Timeout``;
            ``None`` for no end.
        retry: When to try again; ``None`` for never.
        page_size: Records to a request in listings, 1 to 1000, the most the server gives.
        max_response_size: Bytes of an answer, unpacked, that are read at most; ``None`` for no limit. What
            ``download_attachment`` writes to a file is not limited.
        verify: Check certificates; or a file of CA certificates, or an ``ssl.SSLContext``.
        headers: Further headers for every request.
        proxy: The URL of a proxy; that of the environment if left out.
        limits: How many connections there may be.
        transport: Sends the requests instead of a network; for tests.
        trust_env: Take proxies and certificates from the environment.

    Raises:
        InvalidURLError: The URL is no base URL.
        InvalidCIDError: The correlation id is no UUID.
        FieldError: Another argument cannot be what it says.
        FilterError: The page size is out of range.
    """

    @redacted
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
        transport: httpx.AsyncBaseTransport | None = None,
        trust_env: bool = True,
    ) -> None:
        """Check the arguments; nothing is sent or opened. See the class for their meaning."""
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
        )
        super().__init__(options, transport)
        self._credentials: Credentials | None = None

    @classmethod
    @redacted
    def from_env(cls, **options: Any) -> Self:
        """Make a client of ``KEYSTONE_URL``, and ``KEYSTONE_TOKEN`` or ``KEYSTONE_USERNAME`` and ``KEYSTONE_PASSWORD``.

        Nothing is sent; with a password, entering the context logs in, and then the password is dropped.

        Args:
            **options: Further arguments of the constructor.

        Returns:
            The client, to be used as a context manager.

        Raises:
            FieldError: A variable is missing, or they contradict each other; the error names them and no values.
            InvalidURLError: ``KEYSTONE_URL`` is no base URL.
        """
        found = settings(os.environ)
        client = cls(found.url, token=found.token, **options)
        client._credentials = found.credentials
        return client

    @property
    def cid(self) -> str:
        """The correlation id that every request carries and the server logs."""
        return self._session.cid

    @property
    def base_url(self) -> str:
        """The base URL, with one slash at its end."""
        return self._session.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, cid={self.cid!r})"

    async def __aenter__(self) -> Self:
        credentials, self._credentials = self._credentials, None
        if credentials is not None:
            try:
                await self.login(*credentials)
            except BaseException:
                await self.close()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @overload
    async def login(self, username: str, password: str) -> "User": ...

    @overload
    async def login(self, *, provider: "AsyncProvider") -> "User": ...

    @redacted
    async def login(
        self,
        username: str | None = None,
        password: str | None = None,
        *,
        provider: "AsyncProvider | None" = None,
    ) -> "User":
        """Start a session; if that fails, the one there was stays.

        Args:
            username: The name of the user, case-sensitive.
            password: The password; not kept.
            provider: Instead of both, a function that returns them. It is asked now, and again whenever a call meets
                the end of the session: once, however many calls meet it together. These calls are then sent again in
                the new session; the server has not acted on them before. A logout or another login forgets the
                provider. It must not use this client. With the client for tasks it may be an async function, and if it
                is not, it must not block.

        Returns:
            The user who is now logged in.

        Raises:
            AuthenticationError: Wrong credentials, or a session cookie that cannot be sent back.
            FieldError: The client was made with a token, which would win over a session; or the arguments, or what the
                provider returned, are no username and password.
        """
        return cast("User", await self._run(auth.login(Call(self._session), username, password, provider)))

    async def logout(self) -> None:
        """End the session and forget its cookies; silent when not logged in."""
        await self._run(auth.logout(Call(self._session)))

    async def is_authenticated(self) -> bool:
        """Ask the server whether it knows this client; ``False`` only if it says 401, any other failure raises."""
        return await self._run(auth.is_authenticated(Call(self._session)))

    async def whoami(self) -> "User | None":
        """The user this client is logged in as, or ``None``."""
        return cast("User | None", await self._run(auth.whoami(Call(self._session))))

    @redacted
    async def http_get(self, endpoint: str, **options: Unpack[ReadOptions]) -> httpx.Response:
        """Send a GET to an endpoint below the base URL.

        Args:
            endpoint: A path, ``"version"`` or ``"/users/users/"``, or an absolute URL below the base URL.
            **options: ``params``, ``headers`` and ``timeout``, as httpx takes them.

        Returns:
            The response as it came, whatever its status.

        Raises:
            InvalidURLError: The endpoint leads elsewhere.
            TransportError: No answer arrived.
        """
        return await self._run(raw_http.http(Call(self._session), "GET", endpoint, options))

    @redacted
    async def http_post(self, endpoint: str, **options: Unpack[WriteOptions]) -> httpx.Response:
        """Send a POST, with ``json``, ``data`` or ``files``; see ``http_get``."""
        return await self._run(raw_http.http(Call(self._session), "POST", endpoint, options))

    @redacted
    async def http_put(self, endpoint: str, **options: Unpack[WriteOptions]) -> httpx.Response:
        """Send a PUT, with ``json``, ``data`` or ``files``; see ``http_get``."""
        return await self._run(raw_http.http(Call(self._session), "PUT", endpoint, options))

    @redacted
    async def http_patch(self, endpoint: str, **options: Unpack[WriteOptions]) -> httpx.Response:
        """Send a PATCH, with ``json``, ``data`` or ``files``; see ``http_get``."""
        return await self._run(raw_http.http(Call(self._session), "PATCH", endpoint, options))

    @redacted
    async def http_delete(self, endpoint: str, **options: Unpack[WriteOptions]) -> httpx.Response:
        """Send a DELETE; see ``http_get``."""
        return await self._run(raw_http.http(Call(self._session), "DELETE", endpoint, options))

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
            request: The key of the request.
            file: A path, bytes, or a file opened in binary mode.
            name: What the record is called; the file name if left out.
            filename: What the file is called; needed for bytes, because the server goes by the extension.
            on_progress: Called with the bytes sent and the bytes there are.

        Returns:
            The new record; its ``file`` is a path in the server's storage, not a URL.

        Raises:
            FieldError: It is no file, or has no name.
            ValidationError: The server does not take this type or size.
        """
        flow = record_flows.create_attachment(
            Call(self._session), request, file, name=name, filename=filename, on_progress=on_progress
        )
        return cast("Attachment", await self._run(flow))

    async def download_attachment(self, pk: Key, to: "Target", *, on_progress: Sent | None = None) -> "Attachment":
        """Fetch the file of an attachment, where a web server in front of Keystone publishes its media.

        It is streamed, and sent without credentials: the API itself gives out no files.

        Args:
            pk: The key of the attachment.
            to: A path, which is written whole or not at all, or a file opened in binary mode.
            on_progress: Called with the bytes received and the bytes there are, 0 if the server does not tell.

        Returns:
            The record of the attachment.

        Raises:
            NotFoundError: There is no such attachment, or nobody publishes the files.
        """
        from ._flows import downloads  # most programs never need it

        flow = downloads.download(Call(self._session), pk, to, on_progress)
        return cast("Attachment", await self._run(flow))

    @asynccontextmanager
    async def batch(self, *, dry_run: bool = False) -> "AsyncIterator[Job]":
        """Collect actions and send them as one job when the block is left: all are carried out, or none.

        A block that raises sends nothing, and so does an empty one.

        Args:
            dry_run: Have the server carry out the job and undo it; the results look real.

        Yields:
            The job. Its methods are plain calls in both clients: nothing is sent before the block is left.

        Raises:
            JobError: An action failed, and nothing was written; the error names the action.
            ReferenceTokenError: A reference that cannot be, or text the server would take for one.
        """
        from ._bulk import job as batch_job  # most programs never need it
        from ._generated.job_methods import Job

        with batch_job.collecting(Job(dry_run)) as job:
            yield job
            await self._run(batch_job.send(Call(self._session), job))
