"""The sensor against the statistics of light: Poisson photons, Gaussian read-out, levels."""

import pytest
import torch

from tutorial_lib.render.sensor import Sensor


def grey(value=0.4, size=200):
    return torch.full((2, 3, size, size), value, dtype=torch.float64)


def read(sensor, image, grain=(1.0, 1.0), seed=0):
    return sensor.read(image, torch.tensor(grain, dtype=image.dtype), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("exposure, photons, noise, gain", [(1.0, 200.0, 0.01, 1.0), (0.05, 1000.0, 0.004, 10.0)])
def test_mean_and_variance_are_those_of_photons_and_read_out(exposure, photons, noise, gain):
    """n photons have the variance n; all of it is amplified alike. Grey is far from black and white: nothing clips."""
    value = 0.4
    seen = read(Sensor(exposure, photons, noise, gain), grey(value), grain=(1.0, 2.0))
    for one, grain in zip(seen, (1.0, 2.0)):
        light = exposure * value
        variance = gain**2 * (light / photons + (grain * noise) ** 2)
        assert one.mean().item() == pytest.approx(gain * light, rel=0.01)
        assert one.var().item() == pytest.approx(variance, rel=0.03)


def test_less_light_is_noisier_after_amplification():
    signal = []
    for exposure in (1.0, 0.1, 0.01):
        seen = read(Sensor(exposure, 5000.0, 0.002, 0.5 / exposure), grey())
        signal.append((seen.mean() / seen.std()).item())
    assert signal[0] > 2 * signal[1] > 4 * signal[2]


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bits_are_levels(bits):
    seen = read(Sensor(read_noise=0.2, bits=bits), grey())
    levels = seen.unique() * (2**bits - 1)
    assert len(levels) == 2**bits
    torch.testing.assert_close(levels, levels.round())


def test_a_sensor_without_noise_gives_the_picture_and_draws_nothing():
    image, generator = grey(), torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert torch.equal(Sensor(read_noise=0.0).read(image, torch.ones(2).double(), generator), image)
    assert torch.equal(generator.get_state(), before)


def test_gradients_pass_through_photons_and_levels():
    image = grey(size=8).requires_grad_()
    read(Sensor(0.5, 300.0, 0.01, 1.5, 6), image).sum().backward()
    torch.testing.assert_close(image.grad, torch.full_like(image, 0.75))


@pytest.mark.parametrize(
    "name, value", [("exposure", 0), ("photons", -1), ("gain", 0), ("read_noise", -1), ("bits", 0)]
)
def test_impossible_sensors_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        Sensor(**{name: value})
