"""Fills in the ids of clip_tokens.json: python make_clip_tokens.py OPENAI_FOLDER TRAINED_FOLDER

Each folder holds vocab.json and merges.txt: OpenAI's, and what `train_bpe` makes of the file's captions. The texts
are those that are in the file already.
"""

import json
import pathlib
import sys

import tokenizers
import transformers

FILE = pathlib.Path(__file__).with_name("clip_tokens.json")
golden = json.loads(FILE.read_text())


def load(folder):
    return transformers.CLIPTokenizer(vocab=f"{folder}/vocab.json", merges=f"{folder}/merges.txt")


openai, trained = load(sys.argv[1]), load(sys.argv[2])
for case in golden["openai"]:
    case["ids"] = openai(case["text"])["input_ids"]
for case in golden["openai_token_counts"]:
    case["tokens"] = len(openai(case["text"])["input_ids"])
for case in golden["trained"]["texts"]:
    case["ids"] = trained(case["text"])["input_ids"]
golden["trained"]["vocabulary_entries"] = len(trained)
golden["made_with"] = f"transformers {transformers.__version__} CLIPTokenizer, tokenizers {tokenizers.__version__}"


def lines(items):
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"


part = golden["trained"]
FILE.write_text(
    f'{{\n"made_with": {json.dumps(golden["made_with"])},\n"openai": {lines(golden["openai"])},\n'
    f'"openai_token_counts": {lines(golden["openai_token_counts"])},\n"trained": {{\n'
    f'"vocab_size": {part["vocab_size"]},\n"vocabulary_entries": {part["vocabulary_entries"]},\n'
    f'"captions": {lines(part["captions"])},\n"texts": {lines(part["texts"])}\n}}\n}}\n'
)
