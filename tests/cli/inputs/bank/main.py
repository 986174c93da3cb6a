from threading import Thread

from bank.account import Account

account = Account()


def main():
    threads = [Thread(target=account.stingy), Thread(target=account.spendy)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(account.money)


if __name__ == "__main__":
    main()
