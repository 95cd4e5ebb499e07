"""Seeing in the dark: the camera against statistics, LIME against a dense solver, norms and losses against torch's."""

import pytest
import torch
import torch.nn.functional as F

from tutorial_lib.heatmaps import KeypointNet
from tutorial_lib.low_light import (
    LEVELS,
    LightCritic,
    LowLightNet,
    Recipe,
    Twins,
    TwoSidedNorm,
    amplify,
    dark_twins,
    day,
    draw_exposures,
    gram,
    illumination,
    lime,
    loss_of,
    lupi_loss,
    night,
    reverse_gradient,
    train,
)
from tutorial_lib.low_light.dark_camera import FLOOR, PHOTONS, RANGE, READ_NOISE
from tutorial_lib.low_light.enhancement import ALPHA, EPSILON


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def small_net(**how):
    return KeypointNet(size=32, channels=(4, 4, 4, 4), width=4, **how)


def twins(count=6, size=32):
    dice = torch.Generator().manual_seed(1)
    bright = torch.randint(0, 256, (count, 3, size, size), generator=dice, dtype=torch.uint8)
    dark = dark_twins(bright, draw_exposures(count, dice), dice)
    points = 1.6 * torch.rand(count, 17, 2, generator=dice) - 0.8
    return Twins(bright, dark, points, (points.abs() <= 1).all(-1))


# ------------------------------------------------------------------ the camera
@pytest.mark.parametrize("exposure", LEVELS.values())
def test_a_grey_wall_scatters_as_photons_and_read_out_say(exposure, generator):
    wall = torch.full((1, 3, 400, 400), 200, dtype=torch.uint8)
    dark = dark_twins(wall, torch.tensor([exposure]), generator, photons=1e4, read_noise=0.02).float() / 255
    light = 200 / 255 * exposure
    spread = (light / 1e4 + 0.02**2 + (1 / 255) ** 2 / 12) ** 0.5
    # What lies below black is cut off: a normal distribution of which the negative part is 0.
    normal = torch.distributions.Normal(0.0, 1.0)
    at = torch.tensor(light / spread)
    mean = spread * (at * normal.cdf(at) + normal.log_prob(at).exp())
    assert dark.mean().item() == pytest.approx(mean.item(), rel=0.02)


def test_the_same_moment_is_photographed_once(generator):
    bright = twins().bright
    exposures = torch.full((len(bright),), 0.02)
    one, two = (dark_twins(bright, exposures, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two) and one.dtype == torch.uint8
    assert not torch.equal(one, dark_twins(bright, exposures, torch.Generator().manual_seed(4)))


def test_exposures_cover_their_range_evenly_on_a_logarithmic_scale(generator):
    drawn = draw_exposures(20000, generator)
    assert RANGE[0] <= drawn.min() and drawn.max() <= RANGE[1]
    middle = (RANGE[0] * RANGE[1]) ** 0.5
    assert (drawn < middle).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert RANGE[0] < min(LEVELS.values()) and max(LEVELS.values()) < RANGE[1], (
        "levels are inside of what is trained on"
    )


def test_amplifying_gives_every_channel_its_mean_and_leaves_black_black(generator):
    image = 0.05 * torch.rand(3, 3, 16, 16, generator=generator)
    image[1, 2] = 0.0
    bright = amplify(image)
    assert bright.mean((2, 3))[image.mean((2, 3)) > FLOOR].sub(0.4).abs().max() < 1e-5
    assert bright[1, 2].abs().max() == 0 and bright.isfinite().all()
    torch.testing.assert_close(amplify(image, 0.2) * 2, bright)


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: amplify(torch.zeros(3, 4, 4)), "expected floating"),
        (lambda: amplify(torch.zeros(1, 3, 4, 4), 0.0), "mean is 0.0"),
        (lambda: dark_twins(torch.zeros(1, 3, 4, 4), torch.ones(1), torch.Generator()), "expected uint8"),
        (lambda: illumination(torch.zeros(3, 4, 4)), "expected"),
        (lambda: gram(torch.zeros(3, 4)), "expected"),
        (lambda: lupi_loss([torch.zeros(1, 2, 3, 3)], []), "the same shapes"),
        (lambda: Recipe("dark", two_sided=True), "expected 'both'"),
        (lambda: LowLightNet(small_net())(torch.zeros(1, 3, 32, 32), "dim"), "light is 'dim'"),
        (lambda: TwoSidedNorm(torch.nn.BatchNorm2d(2))(torch.zeros(1, 2, 3, 3)), "no light was set"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call, said):
    with pytest.raises(ValueError, match=said):
        call()


# ------------------------------------------------------------------ LIME
def test_the_map_of_light_solves_the_dense_system(generator):
    image = torch.rand(1, 3, 5, 6, generator=generator, dtype=torch.float64)
    brightest = image.amax(1)[0]
    height, width = brightest.shape
    matrix = torch.eye(height * width, dtype=torch.float64)
    for row in range(height):
        for column in range(width):
            for down, right in ((0, 1), (1, 0)):
                if row + down < height and column + right < width:
                    here, there = row * width + column, (row + down) * width + column + right
                    slope = (brightest[row + down, column + right] - brightest[row, column]).abs()
                    weight = ALPHA * EPSILON / (slope + EPSILON) ** 2
                    matrix[here, here] += weight
                    matrix[there, there] += weight
                    matrix[here, there] -= weight
                    matrix[there, here] -= weight
    expected = torch.linalg.solve(matrix, brightest.flatten()).reshape(height, width)
    torch.testing.assert_close(illumination(image, iterations=200)[0, 0], expected, rtol=1e-6, atol=1e-8)


def test_an_evenly_lit_picture_becomes_evenly_brighter():
    image = torch.full((1, 3, 8, 8), 0.05)
    bright = lime(image)
    assert bright.std() < 1e-5 and bright.mean() > 0.3


# ------------------------------------------------------------------ two sides
def test_each_side_is_a_batch_norm_of_its_own(generator):
    norm = torch.nn.BatchNorm2d(3)
    both = TwoSidedNorm(norm)
    alone = {light: torch.nn.BatchNorm2d(3) for light in ("dark", "bright")}
    for number in range(4):
        light = ("dark", "bright")[number % 2]
        x = torch.randn(5, 3, 4, 4, generator=generator) * (1 + number) + number
        both.light = light
        torch.testing.assert_close(both(x), alone[light](x))
    for light in alone:
        for name, value in alone[light].state_dict().items():
            torch.testing.assert_close(both.sides[light].state_dict()[name], value)
    assert norm.num_batches_tracked == 0, "the norm that stood there is left as it was"


def test_a_network_with_two_sides_starts_as_the_one_it_was(generator):
    start = small_net().eval()
    images = torch.rand(2, 3, 32, 32, generator=generator)
    net = LowLightNet(start, two_sided=True).eval()
    for light in ("dark", "bright"):
        torch.testing.assert_close(net(images, light), start(images))
    maps, stages = net.features(images, "dark")
    torch.testing.assert_close(maps, start(images))
    assert [tuple(stage.shape[1:]) for stage in stages] == [(4, 16, 16), (4, 8, 8), (4, 4, 4), (4, 2, 2)]


def test_a_batch_moves_its_own_side_alone(generator):
    net = LowLightNet(small_net(), two_sided=True).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net(torch.rand(2, 3, 32, 32, generator=generator), "dark")
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved and all(".sides.dark." in name for name in moved)


def test_one_light_cannot_be_set_for_good():
    net = LowLightNet(small_net(), two_sided=True).eval()
    with pytest.raises(ValueError, match="images has shape"):
        net(torch.zeros(1, 3, 8, 8), "dark")
    assert all(layer.light is None for layer in net.modules() if isinstance(layer, TwoSidedNorm))


# ------------------------------------------------------------------ losses
def test_gram_is_the_mean_outer_product_and_blind_to_place(generator):
    features = torch.randn(2, 3, 4, 5, generator=generator)
    expected = sum(
        torch.einsum("bc,bd->bcd", features[:, :, y, x], features[:, :, y, x]) for y in range(4) for x in range(5)
    )
    torch.testing.assert_close(gram(features), expected / 20)
    shuffled = features.flatten(2)[:, :, torch.randperm(20, generator=generator)].reshape(2, 3, 4, 5)
    torch.testing.assert_close(gram(shuffled), gram(features))


def test_the_teacher_gets_no_gradient_and_twins_that_agree_cost_nothing(generator):
    dark, bright = (torch.randn(2, 3, 4, 4, generator=generator, requires_grad=True) for _ in range(2))
    lupi_loss([dark], [bright]).backward()
    assert dark.grad is not None and bright.grad is None
    assert lupi_loss([bright], [bright]).item() == 0
    scaled = lupi_loss([10 * dark, dark], [10 * bright, bright])
    torch.testing.assert_close(scaled, lupi_loss([dark], [bright]))  # every stage counts alike


def test_a_reversed_gradient_points_the_other_way(generator):
    x = torch.randn(4, generator=generator, requires_grad=True)
    assert torch.equal(reverse_gradient(x, 0.5), x)
    (reverse_gradient(x, 0.5) * torch.arange(4.0)).sum().backward()
    torch.testing.assert_close(x.grad, -0.5 * torch.arange(4.0))


def test_the_critic_learns_what_the_features_unlearn(generator):
    torch.manual_seed(0)
    critic = LightCritic(3, 8)
    features = torch.randn(8, 3, 2, 2, generator=generator, requires_grad=True)
    dark = torch.arange(8) >= 4
    loss = critic.loss(features, dark, 1.0)
    expected = F.binary_cross_entropy(torch.sigmoid(critic.guess(features.mean((2, 3)))[:, 0]), dark.float())
    torch.testing.assert_close(loss, expected)
    loss.backward()
    with torch.no_grad():
        assert critic.loss(features - 0.1 * features.grad, dark, 1.0) > loss, "downhill for features is uphill for it"


# ------------------------------------------------------------------ training
RECIPES = {
    "bright": Recipe("bright"),
    "dark": Recipe("dark"),
    "both": Recipe(),
    "lsbn": Recipe(two_sided=True),
    "ours": Recipe(two_sided=True, lupi=0.1),
    "dann": Recipe(dann=0.1),
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_learns_its_twins_by_heart(name):
    torch.manual_seed(0)
    some, recipe = twins(4), RECIPES[name]
    start = small_net(sigma=2.0)
    dice = torch.Generator().manual_seed(0)
    net, history = train(some, start, recipe, steps=60, rate=0.02, generator=dice, pictures=4, progress=False)
    assert sum(history.loss[-10:]) < 0.8 * sum(history.loss[:10])
    assert net.two_sided == recipe.two_sided


def test_the_loss_of_both_lights_is_the_mean_of_each_where_norms_do_not_mix():
    some, net = twins(4), LowLightNet(small_net(), two_sided=True).eval()
    both = loss_of(net, some, Recipe(two_sided=True))
    one, two = (loss_of(net, some, Recipe(sees)) for sees in ("bright", "dark"))
    torch.testing.assert_close(both, (one + two) / 2)


def test_a_mirror_shows_both_twins_alike():
    some = twins(4)
    seen = some.mirrored(2)
    assert torch.equal(seen.bright[0], some.bright[0].flip(-1)) and torch.equal(seen.dark[1], some.dark[1].flip(-1))
    assert torch.equal(seen.bright[2:], some.bright[2:]) and torch.equal(seen.keypoints[2:], some.keypoints[2:])
    torch.testing.assert_close(seen.keypoints[0, 1, 0], -some.keypoints[0, 4, 0])  # right hip, left hip


def test_what_networks_get_by_day_and_at_night():
    some = twins(2)
    torch.testing.assert_close(day(some.bright), some.bright.float() / 255)
    torch.testing.assert_close(night(some.dark), amplify(some.dark.float() / 255))
    assert PHOTONS > 0 and READ_NOISE > 0
