"""Published checkpoints of each kind: imported, they map, answer, go on and are kept.

They are made here, tiny and of random weights, under the names that the published code gives.
"""

from itertools import pairwise
from typing import Any

import polars as pl
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from kg.graph.tables import CONCEPTS, write_concepts
from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError
from meg.align import AlignCommand
from meg.config import AlignConfig, FinetuneConfig, PredictConfig, TrainingConfig
from meg.datasets.question import Mentions, Question, write_questions
from meg.finetune import FinetuneCommand
from meg.import_published import ImportPublishedCommand
from meg.inference.answer import predict
from meg.model.checkpoint import load, load_contrast
from meg.model.published import mapper_of, read_state
from meg.model.reader import Reader
from meg.model.record import read_record
from meg.prompts.vectors import Vectors
from tests.meg.conftest import byte_tokenizer

KGE, WIDTH, HIDDEN, LAYERS, RANK, ALPHA = 6, 8, 32, 2, 2, 4
WEIGHT = 0.625
TRAINING = TrainingConfig(epochs=3, learning_rate=1e-2, batch_size=4, report_to=[])
QUESTIONS = [
    Question(
        id=f"q{i}",
        stem="Fever?",
        options=("a", "b" * i),
        answer=i % 2,
        mentions=Mentions(
            stem=(Mention(start=0, end=5, candidates=(Candidate(cui=f"C0{i}", score=1),)),),
            options=((), ()),
        ),
    )
    for i in range(1, 5)
]


def chain(inputs, outputs):
    widths = [inputs, *[WIDTH] * LAYERS]
    hidden = [module for pair in pairwise(widths) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.ModuleList([nn.Sequential(*hidden, nn.Linear(WIDTH, outputs))])


def encoder(inputs, outputs):
    layer = nn.TransformerEncoderLayer(
        WIDTH, 1, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )
    inner = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
    return nn.Sequential(nn.Linear(inputs, WIDTH), inner, nn.Linear(WIDTH, outputs))


class Published(nn.Module):
    """A published mapper: G, F and alpha, or a linear layer fc1 alone."""

    def __init__(self, kind):
        super().__init__()
        if kind == "linear":
            self.fc1 = nn.Linear(KGE, HIDDEN)
            return
        made = {"mlp": chain, "transformer": encoder}[kind]
        self.G, self.F = made(KGE, HIDDEN), made(HIDDEN, KGE)
        self.alpha = nn.Parameter(torch.tensor([WEIGHT]))

    def forward(self, concepts):
        """The concepts (concept, kge) of one question."""
        if hasattr(self, "fc1"):
            return self.fc1(concepts)
        return (self.G[0] if isinstance(self.G, nn.ModuleList) else self.G)(concepts)


def write_base(folder, llm):
    tokenizer = byte_tokenizer()
    kind = {"mistral": MistralConfig, "llama": LlamaConfig}[llm]
    config: Any = kind(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return AutoModelForCausalLM.from_pretrained(folder)


class Release:
    """A base LLM's folder, a published model of it, and the file that holds its state."""

    def __init__(self, folder, llm, kind, file):
        self.base = folder / "base"
        plain = write_base(self.base, llm)
        modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        lora = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=modules, task_type="CAUSAL_LM")
        self.decoder = get_peft_model(plain, lora).eval()
        self.mapper = Published(kind).eval()
        for name, parameter in self.decoder.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter)
        parts = {"mapper": self.mapper, "language_decoder": self.decoder}
        state = {
            f"{prefix}.{name}": tensor.detach().clone()
            for prefix, module in parts.items()
            for name, tensor in module.state_dict().items()
        }
        self.path = folder / file
        self.path.parent.mkdir(exist_ok=True)
        if file.endswith("safetensors"):
            save_file(state, self.path)
        elif "mp_rank" in file:
            torch.save({"module": state, "ds_version": "0.12.4"}, self.path)
            torch.save({"optimizer_state_dict": {}}, self.path.with_name("x_optim_states.pt"))
        else:
            torch.save(state, self.path)


FILES = ("model.safetensors", "model_state_dict.pt", "global_step3/mp_rank_00_model_states.pt")
KINDS = ("linear", "mlp", "transformer")
EACH = [
    (("mistral", "llama")[(i + j) % 2], kind, file)
    for i, kind in enumerate(KINDS)
    for j, file in enumerate(FILES)
]
"""Every mapper in every file, and so with both LLMs."""


@pytest.fixture(params=EACH, ids="-".join)
def release(request, tmp_path):
    return Release(tmp_path, *request.param)


@pytest.fixture
def imported(release, store, tmp_path):
    folder = release.path.parent if "mp_rank" in release.path.name else release.path
    out = tmp_path / "imported"
    ImportPublishedCommand(
        published=folder, base=str(release.base), store=store.path, alpha=ALPHA, out=out
    ).run()
    return out


def answers(checkpoint, store):
    network, tokens, record = load(checkpoint)
    reader = Reader(network, tokens, Vectors(store))
    return predict(reader, QUESTIONS, record.prompt, PredictConfig())


def test_computes_what_the_published_code_does(release, imported):
    """h = LLM(embeddings with G's vectors of a question among them)."""
    network, _, record = load(imported, trainable=True)
    network.eval().llm.float()
    ids = torch.tensor([[3, network.placeholder, network.placeholder, 4, 5]])
    concepts = torch.randn(2, KGE)
    rest = torch.ones_like(ids), torch.arange(5)[None]
    decoder = release.decoder.float()
    with torch.no_grad():
        embedded = decoder.get_input_embeddings()(ids.masked_fill(ids == network.placeholder, 0))
        embedded[0, 1:3] = release.mapper(concepts)
        expected = decoder(inputs_embeds=embedded).logits
        found = network(ids, concepts, *rest)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (record.prompt.style, record.prompt.answer) == ("paper", "letter+text")
    assert record.model.mapper.style == "paper"


def test_answers_trains_on_is_saved_and_loaded(imported, store, tmp_path):
    before = answers(imported, store)
    assert all(one.concepts for one in before)
    write_questions(tmp_path / "train.jsonl", QUESTIONS)
    FinetuneCommand(
        questions=tmp_path / "train.jsonl",
        store=store.path,
        align=imported,
        config=FinetuneConfig(training=TRAINING, prompt=read_record(imported).prompt),
        state=tmp_path / "state",
        out=tmp_path / "trained",
    ).run()
    record = read_record(tmp_path / "trained")
    assert record.prompt.style == record.model.mapper.style == "paper"
    after = answers(tmp_path / "trained", store)
    assert [one.scores for one in after] != [one.scores for one in before]


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_phase_1_goes_on_with_f_and_a(kind, store, tmp_path):
    release = Release(tmp_path, "llama", kind, "model_state_dict.pt")
    out = tmp_path / "imported"
    ImportPublishedCommand(
        published=release.path, base=str(release.base), store=store.path, alpha=ALPHA, out=out
    ).run()
    kept = load_contrast(out)
    assert kept["weight"].tolist() == [WEIGHT]
    theirs = sorted(float(tensor.sum()) for tensor in release.mapper.F.state_dict().values())
    ours = sorted(float(t.sum()) for name, t in kept.items() if name != "weight")
    assert ours == theirs
    rows = [(cui.decode(), f"name {i}", [], [], None) for i, cui in enumerate(store.cuis)]
    write_concepts(tmp_path / "concepts.parquet", pl.DataFrame(rows, CONCEPTS, orient="row"))
    training = TRAINING.model_copy(update={"learning_rate": 1e-9})
    AlignCommand(
        concepts=tmp_path / "concepts.parquet",
        store=store.path,
        start=out,
        config=AlignConfig(style="paper", training=training),
        state=tmp_path / "state",
        out=tmp_path / "more",
    ).run()
    before, after = (load(folder)[0].mapper.state_dict() for folder in (out, tmp_path / "more"))
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-6, rtol=0)
    assert read_record(tmp_path / "more").prompt.style == "paper"


class TestRefused:
    def test_several_heads_side_by_side(self, tmp_path):
        layer = nn.Linear(6, 4).state_dict()
        state = {f"mapper.G.{head}.0.{n}": t for head in range(2) for n, t in layer.items()}
        with pytest.raises(InputError, match=r"mapper\.G\.\* are 4 tensors, neither"):
            mapper_of(state)

    def test_what_is_not_there(self):
        with pytest.raises(InputError, match=r"mapper\.G\.\* are 0 tensors"):
            mapper_of({})

    def test_a_folder_of_optimisers_alone(self, tmp_path):
        torch.save({}, tmp_path / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
        with pytest.raises(InputError, match="is no checkpoint file and has none"):
            read_state(tmp_path)
