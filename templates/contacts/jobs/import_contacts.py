"""Import contacts from an uploaded CSV file: validate, enrich, create, notify. A bad file stops before any of it."""

import asyncio
from datetime import timedelta

from trigger_sdk import Context, Queue, Retry, job, task

import clients
from models import Company, Contact, Report, Upload
from reading import read_contacts

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=200), max_delay=timedelta(seconds=30))
AT_ONCE = 8


@task(retry=PATIENT)
async def download(file: str) -> bytes:
    return await clients.download(file)


@task(retry=PATIENT)
async def find_company(domain: str) -> Company | None:
    try:
        return Company(**await clients.post("/directory/find", domain=domain))
    except clients.NotFound:
        return None


@task(retry=PATIENT)
async def create_contact(contact: Contact, company: Company | None, key: str) -> bool:
    """Return False when the CRM has the contact already."""
    details = {"company": company.name, "industry": company.industry} if company else {}
    try:
        await clients.post("/crm/create", key=key, **contact.model_dump(), **details)
    except clients.AlreadyExists:
        return False
    return True


@task(retry=PATIENT)
async def notify(to: str, subject: str, text: str, key: str) -> None:
    await clients.post("/mail/send", key=key, to=to, subject=subject, text=text)


@job(id="import-contacts", queue=Queue("imports", concurrency=4))
async def import_contacts(upload: Upload, ctx: Context) -> Report:
    content = await download(upload.file)
    contacts, mistakes = read_contacts(content)
    if mistakes:
        listed = "\n".join(map(str, mistakes[:20]))
        await notify(upload.notify, f"{upload.file} was not imported", listed, f"{ctx.run.id}:notify")
        return Report(state="rejected", mistakes=mistakes)

    ctx.logger.info("contacts to import: %d", len(contacts))
    lanes = asyncio.Semaphore(AT_ONCE)

    async def enrich(domain: str) -> Company | None:
        async with lanes:
            return await find_company(domain)

    async def create(contact: Contact) -> bool:
        async with lanes:
            return await create_contact(contact, companies[contact.domain], f"{ctx.run.id}:{contact.email}")

    domains = sorted({contact.domain for contact in contacts})
    companies = dict(zip(domains, await asyncio.gather(*map(enrich, domains)), strict=True))
    created = await asyncio.gather(*map(create, contacts))

    report = Report(
        state="imported",
        created=sum(created),
        skipped=len(created) - sum(created),
        enriched=sum(1 for contact in contacts if companies[contact.domain]),
    )
    text = f"{report.created} created, {report.skipped} there already, {report.enriched} with their company."
    await notify(upload.notify, f"{upload.file} was imported", text, f"{ctx.run.id}:notify")
    return report
