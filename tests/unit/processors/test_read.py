"""What an answer's records become."""

import orjson
import pytest

from processors.recorder.policy import NO_POLICY
from processors.recorder.read import read_answer
from tests.support.xero_records import example
from xero_api.answers import decipher
from xero_api.registry import INVOICES
from xero_api.requests import get_page
from xero_stream.contracts.names import TenantId

TENANT = TenantId("11111111-1111-1111-1111-111111111111")


@pytest.mark.parametrize("newest_first", [True, False])
async def test_of_a_record_that_is_twice_in_a_page_the_newer_form_counts(newest_first: bool) -> None:
    """It was changed while Xero read the page. The pass goes on behind the newer one and would not bring it again."""
    one = orjson.loads(example("invoices", "page"))["Invoices"][0]
    older = {**one, "Reference": "before", "UpdatedDateUTC": "/Date(1763812800000+0000)/"}
    newer = {**one, "Reference": "after", "UpdatedDateUTC": "/Date(1763812801000+0000)/"}
    page = orjson.dumps({"Invoices": [newer, older] if newest_first else [older, newer]})
    answer = decipher(get_page(INVOICES, None), 200, {}, page)

    (reading,) = [
        reading async for reading in read_answer(answer, tenant_id=TENANT, keep_raw=False, policy=NO_POLICY, size=100)
    ]

    assert [orjson.loads(read.body or b"")["reference"] for read in reading.reads] == ["after"]
