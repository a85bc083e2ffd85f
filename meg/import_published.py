"""A checkpoint of the published models to one of ours, without loading the LLM.

Ours keeps G, the adapters, and what Phase I needs to go on: F and the weight of its losses. The
LLM's own weights are the base's, which stays where it is. The checkpoint says how it is asked: in
the style of the paper.

Published: lautel/MEG-Mistral-7B-Instruct-v0.1, -v0.3 and lautel/MEG-Llama-3.1-8B-Instruct.
"""

import logging
from pathlib import Path

from peft import LoraConfig
from pydantic import Field
from safetensors.torch import save_file

from kg.shared.artefact import replacing, write_json
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.config import LoraSettings, ModelConfig, PromptConfig
from meg.model.checkpoint import CONTRAST, check_folder
from meg.model.published import State, adapter_of, contrast_of, mapper_of, read_state
from meg.model.record import Record, recorded

log = logging.getLogger(__name__)

PAPER = PromptConfig(style="paper", answer="letter+text")


class ImportPublishedCommand(Command):
    """Make a checkpoint of ours from a published one."""

    published: Path = Field(description="state dict (.pt, .bin, .safetensors) or a folder of them")
    base: str = Field(description="the base LLM it was trained from: hub id or folder")
    store: Path = Field(description="embeddings.h5 of the published vectors (kg.store import)")
    alpha: int = Field(64, ge=1, description="scale of the adapters times their rank")
    heads: int = Field(
        1, ge=1, description="of a transformer mapper; its weights do not tell, the scripts have 1"
    )
    prompt: PromptConfig = Field(PAPER, description="how it is asked")
    out: Path = Field(description="checkpoint folder to write")

    def run(self) -> None:
        """Read the published weights, save them as a checkpoint."""
        check_folder(self.out)
        state, store = read_state(self.published), EmbeddingStore(self.store)
        mapper, kge, weights = mapper_of(state, self.heads)
        contrast = contrast_of(state, mapper)
        rank, modules, adapter = adapter_of(state)
        if kge != store.dim:
            raise InputError(f"the mapper takes vectors of {kge}, {self.store} has {store.dim}")
        lora = LoraSettings(r=rank, alpha=self.alpha)
        record = Record(
            model=ModelConfig(base=self.base, lora=lora, mapper=mapper),
            kge=kge,
            store=store.space,
            prompt=self.prompt,
            store_path=str(self.store),
        )
        with replacing(self.out) as temporary:
            (temporary / "adapter").mkdir(parents=True)
            peft = LoraConfig(
                r=rank,
                lora_alpha=self.alpha,
                lora_dropout=lora.dropout,
                target_modules=modules,
                task_type="CAUSAL_LM",
                base_model_name_or_path=self.base,
                inference_mode=True,
            )
            peft.save_pretrained(str(temporary / "adapter"))
            save_file(_whole(adapter), temporary / "adapter" / "adapter_model.safetensors")
            save_file(_whole(weights), temporary / "mapper.safetensors")
            if contrast:
                save_file(_whole(contrast), temporary / CONTRAST)
            write_json(temporary / "meg.json", recorded(self.out, record).model_dump(mode="json"))
        log.info(
            "%s: %d adapter tensors, G of %s, %s; %d tensors of the base LLM left out",
            self.out,
            len(adapter),
            mapper,
            f"F and a = {float(contrast['weight']):.3f}" if contrast else "no F",
            len(state) - len(adapter) - len(weights) - len(contrast),
        )


def _whole(state: State) -> State:
    return {name: tensor.contiguous().clone() for name, tensor in state.items()}


if __name__ == "__main__":
    main(ImportPublishedCommand)
