"""Writes a compose's metadata with productmd, for samples."""

from collections.abc import Iterable
from pathlib import Path

from compose_repo.core.composes.compose import ComposeId, Image
from compose_repo.core.names import Arch, Variant


class ComposeWriter:
    """Builds a compose's metadata with productmd, for samples; what productmd refuses raises its ValueError."""

    def __init__(self, compose_id: ComposeId, *, label: str | None, release_name: str) -> None:
        from productmd.composeinfo import ComposeInfo  # noqa: PLC0415  # only who writes needs it
        from productmd.images import Images  # noqa: PLC0415
        from productmd.modules import Modules  # noqa: PLC0415
        from productmd.rpms import Rpms  # noqa: PLC0415

        self._info = ComposeInfo()
        self._rpms = Rpms()
        self._images = Images()
        self._modules = Modules()
        release = self._info.release
        release.name, release.short, release.version, release.type = (
            release_name,
            compose_id.short,
            compose_id.version,
            "ga",
        )
        for part in (self._info, self._rpms, self._images, self._modules):
            compose = part.compose
            compose.id, compose.type, compose.respin = compose_id.text, compose_id.type.value, compose_id.respin
            compose.date = compose_id.date.strftime("%Y%m%d")
            compose.label = label
            part.header.set_current_version()

    def add_variant(self, name: Variant, arches: Iterable[Arch]) -> None:
        """Add a variant that has trees for some arches."""
        from productmd.composeinfo import Variant as ProductmdVariant  # noqa: PLC0415

        variant = ProductmdVariant(self._info)
        variant.id = variant.uid = variant.name = name
        variant.type = "variant"
        variant.arches = set(arches)
        for arch in variant.arches:
            variant.paths.os_tree[arch] = f"{name}/{arch}/os"
            variant.paths.packages[arch] = f"{name}/{arch}/os/Packages"
            variant.paths.repository[arch] = f"{name}/{arch}/os"
            variant.paths.source_tree[arch] = f"{name}/source/tree"
            variant.paths.debug_tree[arch] = f"{name}/{arch}/debug/tree"
        self._info.variants.add(variant)

    def add_rpm(  # noqa: PLR0913  # a row of rpms.json is this wide
        self, variant: Variant, tree: Arch, nevra: str, *, sigkey: str | None, category: str, srpm: str
    ) -> None:
        """Add a row to rpms.json; a source package is its own SRPM."""
        folder = {"source": "source/tree", "debug": f"{tree}/debug/tree", "binary": f"{tree}/os"}[category]
        name, _, evra = nevra.rpartition(":")
        path = f"{variant}/{folder}/Packages/{name.rpartition('-')[0]}-{evra}.rpm"
        self._rpms.add(variant, tree, nevra, path, sigkey, category, None if category == "source" else srpm)

    def add_image(self, image: Image, *, mtime: int) -> None:
        """Add an image; `mtime` in seconds since 1970."""
        from productmd.images import Image as ProductmdImage  # noqa: PLC0415

        entry = ProductmdImage(self._images)
        entry.path, entry.size, entry.mtime, entry.volume_id = image.path, image.size, mtime, None
        entry.type, entry.format, entry.subvariant, entry.arch = image.type, image.format, image.subvariant, image.arch
        entry.disc_number = entry.disc_count = 1
        entry.bootable = image.format == "iso"
        if image.sha256 is not None:
            entry.checksums = {"sha256": image.sha256}
        self._images.add(image.variant, image.arch, entry)

    def write(self, folder: Path) -> None:
        """Write the four metadata files; the same calls give the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in (
            ("composeinfo.json", self._info),
            ("images.json", self._images),
            ("modules.json", self._modules),
            ("rpms.json", self._rpms),
        ):
            part.dump(str(folder / name))
