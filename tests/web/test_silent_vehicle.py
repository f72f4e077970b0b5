"""A vehicle nobody hears of is not shown as if it drove on."""

from __future__ import annotations

from pathlib import Path

from tests.web.test_frames import Bench
from zhongshu.model.batch import BAD
from zhongshu.web.scene import DRIVING, SILENT


async def test_a_vehicle_whose_place_turned_bad_is_silent_until_it_speaks_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.watch.start()
    for quality, silent in ((0, 0), (BAD, SILENT), (0, 0)):
        await bench.clock.forward(1)
        await bench.say("agv", quality, position_x=5, position_y=22, driving=1)
        bench.tick()
        row = bench.frames._scene.vehicles[0]
        assert row[6] & SILENT == silent
        assert row[6] & DRIVING, "what it did last is kept beside"
