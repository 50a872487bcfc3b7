"""Every view on the running job: figures, both colour schemes, phone width, accessibility."""

import re

import pytest
from playwright.async_api import Page, expect
from support.browser import DEVICE, PHONE, VIEWS, Visit, Visiting

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]
RECORD = "metadata/200100001"


async def shows_figures(page: Page, view: str) -> None:
    """The view has what it is there for, from the running job."""
    match view:
        case "overview":
            await expect(page.locator(".tile", has_text="Stored per second")).to_contain_text(
                "received"
            )
            await expect(page.get_by_role("img", name="Messages per second")).to_be_visible()
            await expect(page.locator(".tile", has_text="Devices reporting")).to_contain_text(
                re.compile(r"of 2\d")  # twenty, the hostile one, and what other tests have sent
            )
            await expect(page.locator(".health .level").first).to_be_visible()
        case "devices":
            await expect(page.get_by_role("row", name=DEVICE)).to_contain_text("reporting")
            await expect(page.get_by_role("row", name=DEVICE)).to_contain_text("viscosity")
            await expect(page.get_by_role("img", name="last hour").first).to_be_visible()
        case _ if view.startswith("devices/"):
            for field in ("pressureValue", "viscosity"):
                await expect(page.get_by_role("img", name=f"{field}. mean: now")).to_be_visible()
            await expect(page.locator(".code")).to_contain_text("pressure,")
        case "metadata":
            await expect(page.get_by_role("row", name="418000001")).to_contain_text("Kaisei 計測")
        case "metadata/200100001":
            await expect(page.get_by_label("Value of accuracy")).to_have_value("0.25")
        case "dead-letters":
            await expect(page.locator(".foot")).to_contain_text("looked at")
        case "pipeline":
            await expect(page.locator(".step")).to_have_count(7)
            await expect(page.locator(".step.flows").first).to_be_visible()
            await expect(page.get_by_text("InfluxDB answers")).to_be_visible()
        case "mapping":
            await expect(page.get_by_text("Tag sensorID")).to_be_visible()


@pytest.mark.parametrize("view", [*VIEWS, f"devices/{DEVICE}", RECORD])
async def test_view(visit: Visiting, view: str) -> None:
    """Each view shows the running job, light, dark and on a phone, and everybody can use it."""
    async with visit() as console:
        await console.show(view)
        await console.settled()
        await shows_figures(console.page, view)
        assert await console.violations() == []

        await console.page.emulate_media(color_scheme="dark")
        assert await dark(console)
        assert await console.violations() == []

        await console.page.set_viewport_size(PHONE)
        assert not await console.is_too_wide()
        assert await console.violations() == []


async def dark(console: Visit) -> bool:
    """Whether the page is drawn dark."""
    red: int = await console.page.evaluate(
        "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    )
    return red < 64


async def test_charts_move(visit: Visiting) -> None:
    """The overview's charts have a curve as soon as it is open, and go on by themselves."""
    async with visit() as console:
        await console.show("overview")
        chart = console.page.get_by_role("img", name="Messages per second")
        await expect(chart).to_have_accessible_name(re.compile(r"stored: now \d"))
        before = await chart.locator("canvas").evaluate("canvas => canvas.toDataURL()")
        await console.page.wait_for_function(
            "before => document.querySelector('canvas').toDataURL() !== before", arg=before
        )


async def test_it_remembers_the_view_alone(visit: Visiting) -> None:
    """Whoever comes back finds the view that was open; nothing else is kept in the browser."""
    async with visit() as console:
        await console.show("pipeline")
        await expect(console.page).to_have_title("Pipeline · ingestor")
        await console.page.goto(f"{console.base}/")
        await expect(console.page.locator("main h1")).to_have_text("Pipeline")
        kept = await console.page.evaluate("[{...localStorage}, {...sessionStorage}]")
        assert kept == [{"view": "pipeline"}, {}]
        assert await console.page.context.cookies() == []


async def test_nothing_jumps(visit: Visiting) -> None:
    """While the overview fills itself, nothing that is visible moves."""
    async with visit() as console:
        await console.page.add_init_script(
            "window.jumps = 0; new PerformanceObserver(list => { for (const each of "
            "list.getEntries()) window.jumps += each.value }).observe("
            "{type: 'layout-shift', buffered: true})"
        )
        await console.show("overview")
        await shows_figures(console.page, "overview")
        assert await console.page.evaluate("window.jumps") < 0.1  # what browsers call good
