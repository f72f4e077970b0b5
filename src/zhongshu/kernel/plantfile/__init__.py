"""plant.yaml → model.plant.Plant, with errors that name file, line, path and remedy."""

from zhongshu.kernel.plantfile.difference import difference
from zhongshu.kernel.plantfile.load import check_file, load_plant
from zhongshu.kernel.plantfile.problems import PlantFileError, Problem

__all__ = ["PlantFileError", "Problem", "check_file", "difference", "load_plant"]
