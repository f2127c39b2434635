"""Evaluation: is the tuned model better than the baseline, at which threshold, and where is it wrong?"""

import streamlit as st

from simtune_core.encoders.config import EncodingConfig
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.workflows import data
from simtune_core.workflows.models import failed_checks, usual_encoders
from simtune_core.workflows.requests import evaluate_request
from ui.ask import answer_to, show_findings
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.keys import key
from ui.mistakes import explore
from ui.session import current_workspace
from ui.spaces import pick_encoder, pick_encoders
from ui.threshold_explorer import MODELS_AT_MOST
from ui.verdicts import context_line, failed_notes, metric_table, verdict_cards
from ui.weak import other_findings, weak_marks
from ui.widgets import pick_one, select_for, settings_from

SAME_PAIRS = "(the judged pairs)"

ensure_frame()
st.title("Evaluation")
st.markdown("Is the new model better than the baseline, at which threshold, and where is it wrong?")
workspace = current_workspace()
stop_without_data(workspace)

refs = data.set_refs(workspace)
usual = data.usual_sets(refs, "test", "dev")
with st.container(horizontal=True, vertical_alignment="bottom"):
    test = pick_one("Pairs to judge on", refs, key=key("evaluation", "set"), default=usual["test"])
    dev = pick_one(
        "Threshold from", [*refs, SAME_PAIRS], key=key("evaluation", "dev"), default=usual["dev"] or SAME_PAIRS
    )
    baseline = pick_encoder(workspace, key=key("evaluation", "baseline"), label="Baseline")
    with st.popover("More", icon=":material/tune:"):
        precision = select_for(EncodingConfig, "precision", scope="evaluation")
        with shown_as_message():
            config = settings_from(EvaluationConfig, scope="evaluation")
with shown_as_message():
    newest = usual_encoders(workspace)
models = pick_encoders(workspace, key=key("evaluation", "models"), label="Models", default=newest)

names = list(dict.fromkeys([baseline, *models]))
if len(names) > MODELS_AT_MOST:
    st.warning(
        f"{MODELS_AT_MOST} encoders are shown side by side, the baseline among them; the last ones are left out."
    )
with shown_as_message():
    failed = failed_checks(workspace)
    request = evaluate_request(
        workspace,
        test,
        names[:MODELS_AT_MOST],
        threshold_from=None if dev in (SAME_PAIRS, test) else dev,
        precision=precision,
        config=config.model_dump(mode="json"),
    )
weak_marks(workspace, test, None if dev == SAME_PAIRS else dev)
answer = answer_to(
    request, key=key("evaluation", "ask"), button="Evaluate", why="Embeds what is new, then resamples the records."
)

if answer:
    result = answer.result
    context_line(result)
    failed_notes(request.params["encoders"], failed)
    verdict_cards(result, failed)
    show_findings(other_findings(result["findings"]))
    explore(answer.job, failed)
    st.header("All metrics")
    split = st.segmented_control(
        "Pairs", ["test", "dev"], default="test", required=True, key=key("evaluation", "split"), persist_state="session"
    )
    metric_table(result, split, failed)
