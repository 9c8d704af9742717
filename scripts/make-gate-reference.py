"""Writes test/stats/gate-reference.json: values of SciPy and plain formulas for the gate's tests. Needs SciPy: python3 scripts/make-gate-reference.py"""

import json
from math import log

import numpy as np
import scipy
from scipy import stats

cases = []


def add(id, method, input, expected, tol=1e-9, source=""):
    clean = {k: None if v is None or v != v else v for k, v in expected.items()}
    cases.append({"id": f"{method}-{id}", "method": method, "input": input, "expected": clean, "tol": tol, "source": source})


# One-sided Fisher: the candidate fails more often than the accepted prompt.
for cf, ct, af, at in [(5, 5, 1, 5), (5, 5, 0, 5), (7, 7, 1, 7), (3, 4, 1, 4), (0, 5, 0, 5), (5, 5, 5, 5), (10, 12, 3, 9), (1, 1, 0, 1), (90, 100, 80, 100), (0, 0, 1, 5), (3, 3, 0, 0), (0, 5, 5, 5), (400, 500, 100, 500)]:
    p = stats.fisher_exact([[cf, ct - cf], [af, at - af]], alternative="greater")[1]
    add(f"{cf}-{ct}-{af}-{at}", "fisher_exact", {"candidateFailures": cf, "candidateTrials": ct, "acceptedFailures": af, "acceptedTrials": at}, {"p": float(p)}, source="scipy.stats.fisher_exact(alternative='greater')")

# Recall: Wilson's interval.
for x, n, alpha in [(0, 5, 0.05), (5, 5, 0.05), (19, 20, 0.05), (81, 263, 0.05), (3, 7, 0.1), (0, 1, 0.05), (1, 1, 0.05), (99999, 100000, 0.01)]:
    ci = stats.binomtest(x, n).proportion_ci(1 - alpha, "wilson")
    add(f"{x}-{n}-{alpha}", "recall_interval", {"right": x, "support": n, "alpha": alpha}, {"recall": x / n, "low": float(ci.low), "high": float(ci.high)}, source="scipy.stats.binomtest.proportion_ci('wilson')")
add("none", "recall_interval", {"right": 0, "support": 0, "alpha": 0.05}, {"recall": None, "low": None, "high": None}, source="nothing to say")


# Precision, recall and F1 as scikit-learn defines them, written out.
def scores(truth, found):
    classes = sorted(set(truth) | set(found))
    out = {}
    f1s = []
    for c in classes:
        tp = sum(t == c and f == c for t, f in zip(truth, found))
        support = sum(t == c for t in truth)
        predicted = sum(f == c for f in found)
        f1 = 2 * tp / (support + predicted)
        f1s.append(f1)
        out[c] = [tp / predicted if predicted else None, tp / support if support else None, f1]
    return classes, [out[c][0] for c in classes], [out[c][1] for c in classes], [out[c][2] for c in classes], float(np.mean(f1s))


for id, truth, found in [
    ("perfect", list("abcabc"), list("abcabc")),
    ("swapped", list("abab"), list("baba")),
    ("never-found", list("aabbc"), list("aabba")),
    ("unknown-class", list("aabb"), list("axbb")),
    ("one-class", list("aaa"), list("aaa")),
    ("mixed", list("abcabcabcabcaabbcc"), list("abcabbabcaccaabbca")),
]:
    classes, precision, recall, f1, macro = scores(truth, found)
    add(id, "class_scores", {"truth": truth, "found": found}, {"classes": classes, "precision": precision, "recall": recall, "f1": f1, "macroF1": macro}, source="definitions of scikit-learn's precision_recall_fscore_support")

# F1 by paired bootstrap: another generator, so the tolerance is that of 2,000 draws.
rng = np.random.default_rng(7)
for id, n, wrong_before, wrong_after in [("same", 60, 0.1, 0.1), ("drop", 120, 0.05, 0.3), ("rise", 120, 0.3, 0.05), ("small", 12, 0.1, 0.5), ("all-right", 30, 0.0, 0.0), ("all-wrong-then-right", 30, 1.0, 0.0), ("one", 1, 0.0, 0.0)]:
    names = ["billing", "legal", "tech"]
    truth = [names[i % 3] for i in range(n)]
    wrong = lambda share: [t if rng.random() >= share else names[(names.index(t) + 1) % 3] for t in truth]
    before, after = wrong(wrong_before), wrong(wrong_after)
    f1 = lambda idx, side: scores([truth[i] for i in idx], [side[i] for i in idx])[4]
    delta = f1(range(n), after) - f1(range(n), before)
    draws = []
    for _ in range(4000):
        idx = rng.integers(0, n, n)
        draws.append(f1(idx, after) - f1(idx, before))
    low, high = np.quantile(draws, [0.025, 0.975])
    add(id, "f1_bootstrap", {"truth": truth, "baseline": before, "candidate": after, "alpha": 0.05}, {"low": float(low), "high": float(high)}, tol=0.03, source="4,000 draws of NumPy's generator")
    add(id, "f1_difference", {"truth": truth, "baseline": before, "candidate": after, "alpha": 0.05}, {"delta": float(delta)}, source="plain formula")

# Signed rank of log cost ratios: exact below 50 values without ties and zeros, else normal with both corrections.
def signed_rank(logs):
    changed = [x for x in logs if x != 0]
    if not changed:
        return None
    is_exact = len(logs) < 50 and len(changed) == len(logs) and len(set(map(abs, logs))) == len(logs)
    options = {"method": "exact"} if is_exact else {"method": "asymptotic", "correction": True, "zero_method": "wilcox"}
    return float(stats.wilcoxon(logs, alternative="greater", **options).pvalue)


costs = np.random.default_rng(11)
heavy = [float(x) for x in np.exp(1.5 * costs.standard_normal(60))]
for id, before, after in [
    ("doubled", [1, 2, 3, 4, 5, 6, 7, 8], [2.1, 3.9, 6.2, 8.3, 9.8, 12.5, 13.1, 16.9]),
    ("same-spread", [1, 2, 3, 4, 5, 6, 7], [1.2, 1.7, 3.1, 3.7, 5.5, 5.6, 7.05]),
    ("fell", [2, 4, 6, 8, 10, 12], [1, 2.2, 3.1, 4.5, 5.2, 6.7]),
    ("one-heavy", [1, 1.1, 1.2, 1.3, 1.4, 1.5, 100], [0.99, 1.08, 1.19, 1.26, 1.33, 1.49, 900]),
    ("six", [1, 2, 3, 4, 5, 6], [1.3, 2.5, 3.8, 5.5, 7.4, 9.1]),
    ("one", [2], [3]),
    ("none-changed", [1, 2, 3], [1, 2, 3]),
    ("some-unchanged", [1, 2, 3, 4, 5, 6, 7], [1, 2, 3.3, 4.8, 5.1, 6.9, 7.5]),
    ("all-alike", [1, 2, 4, 8, 16, 32, 64], [2, 4, 8, 16, 32, 64, 128]),
    ("sixty-heavy", heavy, [float(x * y) for x, y in zip(heavy, np.exp(0.3 + costs.standard_normal(60)))]),
]:
    logs = [log(a / b) for a, b in zip(after, before)]
    within = signed_rank([0 if abs(log(1.1) - x) < 1e-12 else log(1.1) - x for x in logs])
    rose = sum(a > 1.1 * b for a, b in zip(after, before))
    expected = {"ratio": sum(after) / sum(before), "pIncrease": signed_rank(logs), "pWithin": within, "everyCaseRose": rose == len(after), "noCaseRose": rose == 0}
    add(id, "paired_cost", {"baseline": before, "candidate": after, "margin": 0.1}, expected, source="scipy.stats.wilcoxon(log ratios, alternative='greater')")


# Judge error: Wilson intervals; the lower 80 % bound of J by Newcombe's method 10.
def wilson(x, n, alpha):
    ci = stats.binomtest(x, n).proportion_ci(1 - alpha, "wilson")
    return float(ci.low), float(ci.high)


for tp, p, tn, n in [(48, 50, 45, 50), (50, 50, 50, 50), (30, 40, 12, 20), (1, 1, 1, 1), (19, 20, 72, 80)]:
    (sl, sh), (cl, ch) = wilson(tp, p, 0.05), wilson(tn, n, 0.05)
    l1, _ = wilson(tp, p, 0.4)
    _, u2 = wilson(n - tn, n, 0.4)
    p1, p2 = tp / p, (n - tn) / n
    j = p1 - p2
    low = j - ((p1 - l1) ** 2 + (u2 - p2) ** 2) ** 0.5
    add(f"{tp}-{p}-{tn}-{n}", "judge_error", {"passesFound": tp, "passes": p, "failuresFound": tn, "failures": n, "alpha": 0.05}, {"sensitivity": p1, "sensitivityLow": sl, "sensitivityHigh": sh, "specificity": tn / n, "specificityLow": cl, "specificityHigh": ch, "youden": j, "youdenLow": low}, source="scipy.stats.binomtest.proportion_ci('wilson'); square-and-add by hand")
add("no-passes", "judge_error", {"passesFound": 0, "passes": 0, "failuresFound": 3, "failures": 4, "alpha": 0.05}, {"sensitivity": None, "sensitivityLow": None, "sensitivityHigh": None, "specificity": 0.75, "specificityLow": wilson(3, 4, 0.05)[0], "specificityHigh": wilson(3, 4, 0.05)[1], "youden": None, "youdenLow": None}, source="no labelled pass")
for margin, j, share in [(0.05, 0.86, 0), (0.05, 0.86, 1), (0.05, 0.86, 0.5), (0.1, 0, 1), (0.05, -0.2, 1), (0.02, 1, 0.3)]:
    add(f"{margin}-{j}-{share}", "judged_margin", {"margin": margin, "youdenLow": j, "judged": share}, {"margin": margin * (1 - share + share * max(0, j))}, source="Rogan and Gladen 1978")

# Erosion: z of the mean of paired differences.
for id, d, margin in [
    ("none", [0, 0, 0, 0], 0.05),
    ("steady", [-0.1] * 20, 0.05),
    ("noisy", [-1, 0, 0, 0, 1, 0, 0, -1, 0, 0] * 10, 0.05),
    ("broken", ([-1] + [0] * 7) * 12, 0.05),
    ("within-margin", ([-1] + [0] * 39) * 10, 0.05),
    ("one", [-1], 0.05),
    ("better", [0.2, 0.1, 0, 0.3] * 5, 0.05),
    ("just-short", ([-0.5] + [0.05] * 5) * 8 + [-1, -1, 0, 0], 0.05),
]:
    n = len(d)
    z = float(np.mean(d) / (np.std(d, ddof=1) / n**0.5)) if n > 1 and np.std(d, ddof=1) > 1e-12 else None
    delta = float(np.mean(d))
    eroded = n > 1 and delta < -margin and (z is None or z <= -2.8)
    add(id, "erosion", {"differences": d, "margin": margin}, {"delta": delta, "z": z, "isEroded": bool(eroded)}, source="numpy mean and standard error")

# Trend: Kendall's tau against time.
for id, v in [
    ("falling", [0.95, 0.94, 0.94, 0.92, 0.91, 0.9, 0.9, 0.88]),
    ("flat-noise", [0.9, 0.92, 0.89, 0.93, 0.9, 0.91, 0.92, 0.9]),
    ("rising", [0.1, 0.2, 0.3, 0.4, 0.5]),
    ("three", [0.9, 0.8, 0.7]),
    ("ties", [1, 1, 1, 0.98, 0.98, 1, 0.97, 0.97]),
]:
    less = stats.kendalltau(range(len(v)), v, method="asymptotic", alternative="less")
    more = stats.kendalltau(range(len(v)), v, method="asymptotic", alternative="greater")
    add(id, "mann_kendall", {"values": v}, {"tau": float(less.statistic), "pFalling": float(less.pvalue), "pRising": float(more.pvalue)}, source="scipy.stats.kendalltau(method='asymptotic')")
add("equal", "mann_kendall", {"values": [1, 1, 1]}, {"tau": None, "pFalling": None, "pRising": None}, source="no order")

# McNemar's two-sided mid-p (Fagerland 2013): 1 - P(X = b) / 2 where b = c.
for b, c in [(0, 0), (1, 1), (5, 5), (3, 7), (0, 4), (10, 2), (2, 2), (50, 50), (1000, 1000), (20, 21)]:
    n, x = b + c, min(b, c)
    p = 1 - 0.5 * stats.binom.pmf(b, n, 0.5) if b == c else 2 * stats.binom.cdf(x, n, 0.5) - stats.binom.pmf(x, n, 0.5)
    add(f"{b}-{c}", "mcnemar_mid_p", {"b": b, "c": c}, {"p": float(p)}, source="Fagerland, Lydersen and Laake 2013, with scipy.stats.binom")

reference = {"meta": {"title": "reference values of the gate's second stage", "generator": "scripts/make-gate-reference.py", "scipy": scipy.__version__, "tolerance": "absolute difference <= tol * max(1, |expected|)"}, "cases": cases}
with open("test/stats/gate-reference.json", "w") as file:
    json.dump(reference, file, indent=1)
    file.write("\n")
print(len(cases), "cases")
