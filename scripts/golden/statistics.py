"""Golden values of metrics/{wilcoxon,permutation,holm,effect-size,variance,calibration,temperature,risk-coverage}.ts
from SciPy, statsmodels and scikit-learn: test/golden/metrics/statistics.json.

Run: python scripts/golden/statistics.py   (numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, scikit-learn 1.9.1)
What no library gives (the area under the risk-coverage curve, calibration error over equal masses, the Hodges-Lehmann
interval) is written here from its definition, without heartmind's code in sight.
"""
import itertools
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import sklearn
import statsmodels
import statsmodels.formula.api as smf
from scipy import optimize, special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from statsmodels.stats.multitest import multipletests

folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "metrics"
made = (
    f"scripts/golden/statistics.py, numpy {np.__version__}, scipy {scipy.__version__}, "
    f"statsmodels {statsmodels.__version__}, scikit-learn {sklearn.__version__}"
)
random = np.random.default_rng(20261124)


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value


def wilcoxon_cases():
    distinct = {
        "four": random.normal(0.5, 1, 4), "nine": random.normal(0.5, 1, 9), "thirty-six": random.normal(0.2, 1, 36),
        "fifty": random.normal(0.3, 1, 50), "eighty": random.normal(0.2, 1, 80), "all positive": random.uniform(0.1, 1, 7),
    }
    tied = {
        "ties": np.array([1, 1, -1, 2, 2, 3, -3, 4, 5.0]), "ties and zeros": np.array([0, 0, 1, 1, -1, 2, 2, -3, 4, 0, 5.0]),
        "all equal": np.full(6, 0.25), "symmetric": np.array([1, -1, 2, -2, 3, -3.0]),
        "many ties": random.integers(-3, 5, 60).astype(float),
    }
    cases = []
    for name, d in (distinct | tied).items():
        nonzero = d[d != 0]
        ranks = stats.rankdata(np.abs(nonzero))
        case = {
            "name": name, "differences": d, "positive": ranks[nonzero > 0].sum(), "negative": ranks[nonzero < 0].sum(),
            "normal": stats.wilcoxon(d, method="asymptotic", correction=True).pvalue, "exact": None,
        }
        if name in distinct and len(d) <= 50:
            case["exact"] = stats.wilcoxon(d, method="exact").pvalue
        elif len(nonzero) <= 12:
            # With ties: every sign of the ranks there are.
            signs = np.array(list(itertools.product([-1, 1], repeat=len(nonzero))))
            observed = abs((ranks * np.sign(nonzero)).sum())
            case["exact"] = (np.abs(signs @ ranks) >= observed - 1e-9).mean()
        cases.append(case)
    return cases


def permutation_cases():
    cases = []
    for name, d in {
        "one": np.array([0.3]), "four, all positive": np.array([0.1, 0.02, 0.3, 0.05]), "six": random.normal(0.6, 1, 6),
        "ten": random.normal(0.5, 1, 10), "sixteen": random.normal(0.4, 1, 16),
        "ties and zeros": np.array([0, 1, 1, -1, 2, 0, -2, 3.0]), "shares": np.array([0.1, 0.2, 0.3, -0.6, 0.1, 0.7]),
        "forty": random.normal(0.3, 1, 40),
    }.items():
        if len(d) <= 16:
            result = stats.permutation_test(
                (d,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", vectorized=True, n_resamples=np.inf
            ) if len(d) > 1 else None
            p = 1.0 if result is None else result.pvalue
            if result is not None:
                signs = np.array(list(itertools.product([-1, 1], repeat=len(d))))
                assert np.isclose(p, (np.abs(signs @ d) >= abs(d.sum()) - 1e-12).mean()), name
        else:
            signs = random.choice([-1, 1], (2_000_000, len(d)))
            p = (np.abs(signs @ d) >= abs(d.sum()) - 1e-12).mean()
        cases.append({"name": name, "differences": d, "p": p, "exact": len(d) <= 16})
    return cases


def holm_cases():
    cases = []
    for p in [[0.01, 0.04, 0.03, 0.005], [0.2], [0.9, 0.8, 0.7], [0.001, 0.001, 0.001], random.uniform(0, 1, 12) ** 3]:
        cases.append({"p": p, "adjusted": multipletests(p, method="holm")[1]})
    return cases


def effect_cases():
    cases = []
    for name, d in {
        "three": random.normal(0.5, 1, 3), "five": random.normal(0.5, 1, 5), "six": random.normal(0.5, 1, 6),
        "twelve": random.normal(0.5, 1, 12), "thirty-six": random.normal(0.1, 1, 36), "seventy": random.normal(0.1, 1, 70),
        "ties": np.array([0, 0.25, 0.25, -0.25, 0.5, 0.5, 1]), "negative": -random.uniform(1, 2, 9),
    }.items():
        n = len(d)
        walsh = np.sort([(d[i] + d[j]) / 2 for i in range(n) for j in range(i, n)])
        total = n * (n + 1) // 2
        if n <= 50:
            ways = np.array([1.0])
            for rank in range(1, n + 1):
                longer = np.zeros(len(ways) + rank)
                longer[: len(ways)] += ways
                longer[rank:] += ways
                ways = longer
            cumulative = np.cumsum(ways) / 2.0**n
            bound = max(1, int(np.argmax(cumulative >= 0.025)))
            level = 1 - 2 * cumulative[bound - 1]
        else:
            bound = round(total / 2 - stats.norm.ppf(0.975) * math.sqrt(n * (n + 1) * (2 * n + 1) / 24))
            level = 0.95
        nonzero = d[d != 0]
        ranks = stats.rankdata(np.abs(nonzero))
        cases.append({
            "name": name, "differences": d, "estimate": np.median(walsh), "low": walsh[bound - 1], "high": walsh[total - bound],
            "level": level, "rankBiserial": (ranks * np.sign(nonzero)).sum() / ranks.sum(), "dz": d.mean() / d.std(ddof=1),
        })
    return cases


def variance_cases():
    """Restricted maximum likelihood of crossed random effects: equal to the moments where all are positive and balanced."""
    cases = []
    for name, n, s, sizes in [("people vary", 20, 5, (0.1, 0.02, 0.03)), ("seeds vary", 8, 6, (0.02, 0.1, 0.03))]:
        scores = 0.7 + sizes[0] * random.normal(size=(n, 1)) + sizes[1] * random.normal(size=(1, s)) + sizes[2] * random.normal(size=(n, s))
        table = pd.DataFrame([(i, k, 10 * scores[i, k], 1) for i in range(n) for k in range(s)], columns=["i", "k", "y", "all"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = smf.mixedlm("y ~ 1", table, groups="all", vc_formula={"i": "0 + C(i)", "k": "0 + C(k)"})
            fit = model.fit(reml=True, method=["lbfgs", "powell"], maxiter=5000)
        names = model.exog_vc.names
        cases.append({
            "name": name, "scores": scores, "subject": fit.vcomp[names.index("i")] / 100, "seed": fit.vcomp[names.index("k")] / 100,
            "residual": fit.scale / 100,
        })
    return cases


def draw(n, classes, skill, sharpness):
    truth = random.integers(classes, size=n)
    logits = sharpness * (random.standard_normal((n, classes)) + skill * np.eye(classes)[truth])
    return truth, special.softmax(logits, axis=1).round(12)


def equal_mass_error(truth, probabilities, bins):
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    confidence = probabilities.max(axis=1)[order]
    right = (probabilities.argmax(axis=1) == truth)[order]
    return sum(abs((c - r).sum()) for c, r in zip(np.split(confidence, bins), np.split(right, bins))) / len(truth)


def probability_cases():
    cases = []
    for name, n, classes, skill, sharpness in [
        ("two classes, too sure", 140, 2, 1.0, 3.0), ("three classes, not sure enough", 90, 3, 1.5, 0.4), ("two classes, fair", 80, 2, 1.2, 1.0),
    ]:
        truth, p = draw(n, classes, skill, sharpness)
        assert len(np.unique(p.max(axis=1))) == n, name
        logits = np.log(np.maximum(p, 1e-12))

        def loss(parameters):
            bias = np.concatenate([[0], parameters[1:], np.zeros(classes - len(parameters))]) if len(parameters) > 1 else 0
            return -special.log_softmax(logits * parameters[0] + bias, axis=1)[np.arange(n), truth].mean()

        sharp = optimize.minimize_scalar(lambda a: loss([a]), bounds=(0.05, 20), method="bounded", options={"xatol": 1e-12})
        both = optimize.minimize(loss, [1.0] + [0.0] * (classes - 1), method="BFGS", options={"gtol": 1e-9})
        if classes == 2:
            # The same fit by scikit-learn: logistic regression on the difference of the logits.
            fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10000).fit((logits[:, 1] - logits[:, 0])[:, None], truth)
            assert np.isclose(fit.coef_[0, 0], both.x[0], rtol=1e-4) and np.isclose(fit.intercept_[0], both.x[1], atol=1e-4)
        wrong = (p.argmax(axis=1) != truth)[np.argsort(-p.max(axis=1))]
        risk = np.cumsum(wrong) / np.arange(1, n + 1)
        best = np.cumsum(np.sort(wrong)) / np.arange(1, n + 1)
        cases.append({
            "name": name, "classCount": classes, "truth": truth, "probabilities": p.ravel(),
            "temperature": 1 / sharp.x, "nll": log_loss(truth, p, labels=range(classes)), "scaledNll": sharp.fun,
            "biased": {"temperature": 1 / both.x[0], "bias": np.concatenate([[0], both.x[1:]]), "nll": both.fun},
            "scaled": special.softmax(logits * sharp.x, axis=1).ravel(), "equalMass": equal_mass_error(truth, p, 10),
            "risk": risk, "aurc": risk.mean(), "leastAurc": best.mean(),
        })
    return cases


content = {
    "made": made, "wilcoxon": wilcoxon_cases(), "permutation": permutation_cases(), "holm": holm_cases(),
    "effects": effect_cases(), "variance": variance_cases(), "probabilities": probability_cases(),
}
text = json.dumps(plain(content), separators=(",", ":"), allow_nan=False)
(folder / "statistics.json").write_text(text + "\n")
