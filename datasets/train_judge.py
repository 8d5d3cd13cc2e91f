"""Train the judge of lab 11, a classifier of digits, on the digits that `data.mnist()` finds.

    COURSE_DATA=offline python datasets/train_judge.py     (a minute on two cores)
    COURSE_DATA=FOLDER  python datasets/train_judge.py     (two minutes: the real MNIST)

Prints its accuracy on the test digits and writes its weights into datasets/digits/.
"""

import keras

from helpers import data
from helpers.gan import judge_file, judge_network

SEED = 2026
BATCH = 128
EPOCHS = 6
RATE = 2e-3


def main():
    digits = data.mnist()
    keras.utils.set_random_seed(SEED)
    judge = judge_network()
    classifier = keras.Model(judge.input, judge.outputs[0])
    batches = -(-len(digits.x_train) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * batches)
    classifier.compile(
        keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    classifier.fit(
        digits.x_train[..., None], digits.y_train, batch_size=BATCH, epochs=EPOCHS, verbose=2
    )
    _, accuracy = classifier.evaluate(digits.x_test[..., None], digits.y_test, verbose=0)
    path = judge_file(digits.source)
    judge.save_weights(path)
    print(f"{judge.count_params():,} weights, test accuracy {accuracy:.4f}, in {path.name}")


if __name__ == "__main__":
    main()
