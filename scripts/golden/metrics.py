"""Golden values of metrics/ and evaluate/logistic.ts from scikit-learn and NumPy: test/golden/metrics/*.json.

Run: python scripts/golden/metrics.py   (numpy 2.4.6, scikit-learn 1.9.1)
`scores.json`: true classes and probabilities of each case with every score; null where a score is not defined.
`logistic.json`: training and test rows with the test probabilities at the optimum.

Where scikit-learn raises, warns or answers 0 because a score is not defined, null is written (heartmind gives NaN):
an area under the ROC curve with one class, average precision of a class that does not occur, kappa of one and the same
class throughout. A class that is absent from the truth is left out of balanced accuracy, as scikit-learn does.
"""
import json
import math
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")  # for what is not defined, see above
folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "metrics"
made = f"scripts/golden/metrics.py, numpy {np.__version__}, scikit-learn {sklearn.__version__}"
random = np.random.default_rng(20251215)


def plain(value):
    """For JSON: arrays as lists, NaN as null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value


def write(name, content):
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"made": made} | content), separators=(",", ":"), allow_nan=False)
    (folder / name).write_text(text + "\n")


def area(is_class, score):
    if is_class.all() or not is_class.any():
        return math.nan
    return metrics.roc_auc_score(is_class, score)


def average_precision(is_class, score):
    return metrics.average_precision_score(is_class, score) if is_class.any() else math.nan


def calibration_error(truth, probabilities, bins):
    """Guo et al. 2017: (low, high] bins of the top label's probability; written without heartmind's code in sight."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    edges = np.arange(bins + 1) / bins
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return error


def score(name, truth, probabilities):
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    one_hot = np.eye(classes)[truth]
    if classes == 2:
        positive = probabilities[:, 1]
        roc, pr = area(truth == 1, positive), average_precision(truth == 1, positive)
        brier = ((positive - truth) ** 2).mean()
        if len(truth) > 1:
            assert np.isclose(brier, metrics.brier_score_loss(truth, positive, pos_label=1), atol=1e-15)
    else:
        roc = np.mean([area(truth == k, probabilities[:, k]) for k in range(classes)])
        pr = np.mean([average_precision(truth == k, probabilities[:, k]) for k in range(classes)])
        brier = ((probabilities - one_hot) ** 2).sum(axis=1).mean()
        if np.allclose(probabilities.sum(axis=1), 1, atol=1e-12) and len(set(truth)) == classes:
            labels = list(range(classes))
            assert np.isclose(roc, metrics.roc_auc_score(truth, probabilities, multi_class="ovr"), atol=1e-15)
            assert np.isclose(pr, metrics.average_precision_score(one_hot, probabilities, average="macro"), atol=1e-15)
            assert np.isclose(brier, metrics.brier_score_loss(truth, probabilities, labels=labels), atol=1e-15)
    return {
        "name": name, "classCount": classes, "truth": truth, "probabilities": probabilities.ravel(),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=range(classes)),
        "scores": {
            "balancedAccuracy": metrics.balanced_accuracy_score(truth, predicted), "auroc": roc, "auprc": pr,
            "f1Macro": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
            "f1Weighted": metrics.f1_score(truth, predicted, average="weighted", zero_division=0),
            # With one label in all scikit-learn's κ is 0/0.
            "kappa": metrics.cohen_kappa_score(truth, predicted) if len({*truth, *predicted}) > 1 else math.nan,
            "accuracy": metrics.accuracy_score(truth, predicted),
            "ece": calibration_error(truth, probabilities, 10), "brier": brier,
        },
        "ece15": calibration_error(truth, probabilities, 15),
    }


def draw(n, classes, skill=1.0):
    """True classes and probabilities that know something of them."""
    truth = random.integers(classes, size=n)
    logits = random.standard_normal((n, classes)) + skill * np.eye(classes)[truth]
    powers = np.exp(logits)
    return truth, powers / powers.sum(axis=1, keepdims=True)


def rounded(probabilities):
    """One digit, so that many are equal; rows of two classes still sum to 1."""
    result = probabilities.round(1)
    if result.shape[1] == 2:
        result[:, 0] = (1 - result[:, 1]).round(1)
    return result


two, five = draw(157, 2), draw(211, 5)
absent = draw(90, 5)
absent_truth = np.where(absent[0] == 3, 1, absent[0])
unpredicted = draw(90, 5)
shunned = unpredicted[1] * [1, 1, 0, 1, 1]
shunned /= shunned.sum(axis=1, keepdims=True)
certain = np.eye(5)[five[0]]
cases = [
    score("two classes", *two),
    score("five classes", *five),
    score("two classes with ties", two[0], rounded(two[1])),
    score("five classes with ties", five[0], rounded(five[1])),
    score("two classes, all scores equal", two[0], np.full((157, 2), 0.5)),
    score("five classes, all scores equal", five[0], np.full((211, 5), 0.2)),
    score("two classes, rare positives", *(lambda t, p: ((t * (np.arange(157) % 5 == 0)).astype(int), p))(*two)),
    score("a class absent in truth", absent_truth, absent[1]),
    score("a class never predicted", unpredicted[0], shunned),
    score("one true class of two", np.ones(20, int), two[1][:20]),
    score("one true class of two, always predicted", np.zeros(7, int), np.tile([0.8, 0.2], (7, 1))),
    score("one true class of five", np.full(20, 2), five[1][:20]),
    score("perfect", five[0], certain),
    score("always wrong", (five[0] + 1) % 5, certain),
    score("one window, right", np.array([1]), np.array([[0.3, 0.7]])),
    score("one window, wrong", np.array([0]), np.array([[0.3, 0.7]])),
    score("one window of five classes", np.array([4]), five[1][:1]),
]

curves = []
for name, truth, positive in [
    ("distinct scores", two[0], two[1][:, 1]), ("ties", two[0], rounded(two[1])[:, 1]), ("all equal", two[0], np.full(157, 0.5)),
]:
    false_rate, true_rate, _ = metrics.roc_curve(truth, positive, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(truth, positive)
    curves.append({
        "name": name, "truth": truth, "scores": positive, "falsePositiveRate": false_rate, "truePositiveRate": true_rate,
        # By falling threshold, without the point (recall 0, precision 1) that scikit-learn adds.
        "precision": precision[::-1][1:], "recall": recall[::-1][1:],
    })

quantiles = [
    {"sorted": np.sort(values), "q": q, "value": np.quantile(values, q)}
    for values in [random.standard_normal(1000), random.standard_normal(7), np.array([1.0, 1.0, 2.0]), np.array([3.5])]
    for q in [0, 0.025, 0.25, 0.5, 0.9, 0.975, 1]
]
write("scores.json", {"cases": cases, "curves": curves, "quantiles": quantiles})


def logistic(name, n, d, classes, C, weight, constant=False):
    labels = np.arange(n) % classes
    if n > 50:
        labels[random.random(n) < 0.4] = 0  # not balanced
    scale, offset = 10 ** random.uniform(-2, 3, d), random.standard_normal(d) * 10
    directions = random.standard_normal((classes, d))
    test_labels = random.integers(classes, size=25)
    # Rounded first: what stands in the file is what both fit.
    train, test = (
        (offset + scale * (random.standard_normal((len(y), d)) + 0.7 * directions[y])).round(4) for y in (labels, test_labels)
    )
    if constant:
        # The mean of these is not exactly 0.1, so their standard deviation in float64 is not exactly 0.
        train[:, 1], test[:, 1] = 0.1, 0.3
    model = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=C, class_weight=weight, solver="newton-cholesky", tol=1e-10, max_iter=1000),
    )
    model.fit(train, labels)
    probabilities = model.predict_proba(test)
    # A second solver must find the same optimum.
    model.set_params(logisticregression__solver="lbfgs", logisticregression__tol=1e-12, logisticregression__max_iter=100000)
    assert np.abs(model.fit(train, labels).predict_proba(test) - probabilities).max() < 2e-7, name
    return {
        "name": name, "classCount": classes, "C": C, "classWeight": "balanced" if weight else "none",
        "train": train, "labels": labels, "test": test, "probabilities": probabilities.ravel(),
    }


write("logistic.json", {"cases": [
    logistic("two classes", 80, 6, 2, 0.05, "balanced"),
    logistic("three classes", 120, 5, 3, 0.05, "balanced"),
    logistic("more features than rows", 40, 60, 2, 0.05, "balanced"),
    logistic("five classes, weak penalty", 150, 4, 5, 10, "balanced"),
    logistic("two classes, without class weights", 80, 4, 2, 1, None),
    logistic("three classes, without class weights", 90, 4, 3, 1, None),
    logistic("a constant feature that differs in the test rows", 83, 4, 2, 0.05, "balanced", constant=True),
]})
