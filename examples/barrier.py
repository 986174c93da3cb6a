"""Three workers and the main thread pass a Barrier(4) in every round: nothing to report."""
# expect: silent
# target: main
# expect-target: not-confirmed

from threading import Barrier, Thread

SIZE = 3
ROUNDS = 4

matrix_a = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
matrix_b = [[1, 0, 2], [0, 1, 2], [2, 1, 0]]
result = [[0] * SIZE for _ in range(SIZE)]

work_start = Barrier(SIZE + 1)
work_complete = Barrier(4)


def work_out_row(row):
    for _ in range(ROUNDS):
        work_start.wait()
        for col in range(SIZE):
            for i in range(SIZE):
                result[row][col] += matrix_a[row][i] * matrix_b[i][col]
        work_complete.wait()


def main():
    for row in range(SIZE):
        Thread(target=work_out_row, args=([row])).start()
    for _ in range(ROUNDS):
        for row in range(SIZE):
            result[row] = [0] * SIZE
        work_start.wait()
        work_complete.wait()
    print(*result, sep="\n")


if __name__ == "__main__":
    main()
