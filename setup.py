"""Everything about the package stands in pyproject.toml, but for one thing: the lessons lie beside the package in the
repository and inside it in a wheel, where `python -m tutorial_lib.course.unpack` finds them.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LESSONS = Path("notebooks")


class BuildWithLessons(build_py):
    """Copies `notebooks/*.ipynb` to `tutorial_lib/notebooks/`; an editable install reads them where they are."""

    def lessons(self) -> dict[str, str]:
        """Target to source."""
        inside = Path(self.build_lib) / "tutorial_lib" / LESSONS.name
        return {str(inside / path.name): str(path) for path in sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))}

    def run(self):
        super().run()
        if not self.editable_mode:
            for target, source in self.lessons().items():
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), *self.lessons().values()]  # for a source distribution

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self.lessons()]


setup(cmdclass={"build_py": BuildWithLessons})
