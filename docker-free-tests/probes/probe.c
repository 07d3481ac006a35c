/* What an attacker inside a container tries and a shell cannot: each word on the command line is one
 * attempt. Built by the attack tests as a static program, put into an image, never part of Gantry.
 *
 *   probe trace      trace every process that enters, for ever; print once what they show
 *   probe handle     open the host's root by a file handle
 *   probe sockets    kernel crypto and virtual machine sockets, natively and as a 32-bit program
 *   probe swap A B   exchange two names for ever
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Prints each thing once. */
static void tell(const char *what)
{
	static char told[256][128];
	static int n_told;
	for (int i = 0; i < n_told; i++)
		if (!strncmp(told[i], what, sizeof told[i] - 1))
			return;
	if (n_told == 256)
		return;
	strncpy(told[n_told++], what, sizeof told[0] - 1);
	puts(what);
	fflush(stdout);
}

static void look(int pid, const char *name)
{
	char path[300], target[300];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	ssize_t length = readlink(path, target, sizeof target - 1);
	if (length <= 0)
		return;
	target[length] = 0;
	/* Numbers of pipes and processes differ; what they are does not. */
	target[strcspn(target, "[0123456789")] = 0;
	char line[400];
	snprintf(line, sizeof line, "%s -> %s", name, target);
	tell(line);
}

static _Noreturn void trace(void)
{
	tell("tracing");
	for (;;) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;
		while (proc && (entry = readdir(proc))) {
			int pid = atoi(entry->d_name);
			if (pid <= 1 || pid == getpid())
				continue;
			if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
				ptrace(PTRACE_INTERRUPT, pid, 0, 0);
				waitpid(pid, NULL, __WALL);
				tell("held");
				look(pid, "exe");
				ptrace(PTRACE_DETACH, pid, 0, 0);
			}
			look(pid, "root");
			look(pid, "cwd");
			for (int fd = 0; fd < 64; fd++) {
				char name[16];
				snprintf(name, sizeof name, "fd/%d", fd);
				look(pid, name);
			}
		}
		if (proc)
			closedir(proc);
	}
}

static int handle(void)
{
	struct {
		struct file_handle head;
		uint32_t inode, generation;
	} root = { { .handle_bytes = 8, .handle_type = 1 }, 2, 0 };
	const char *places[] = { "/", "/etc/hosts", "/dev/shm" };
	for (int i = 0; i < 3; i++) {
		int at = open(places[i], O_RDONLY);
		int fd = open_by_handle_at(at, &root.head, O_RDONLY);
		printf("%s %s\n", places[i], fd < 0 ? strerrorname_np(errno) : "OPENED");
	}
	return 0;
}

#ifdef __x86_64__
static long call32(long number, long first, void *rest)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(rest)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}
#endif

static int sockets(void)
{
	int families[] = { 38, 40, AF_INET };
	for (int i = 0; i < 3; i++) {
		int fd = socket(families[i], families[i] == 38 ? SOCK_SEQPACKET : SOCK_STREAM, 0);
		printf("native %d %s\n", families[i], fd < 0 ? strerrorname_np(errno) : "OPENED");
	}
#ifdef __x86_64__
	/* socketcall takes a pointer, so what it points to has to lie low. */
	uint32_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	for (int i = 0; i < 3; i++) {
		low[0] = families[i];
		low[1] = families[i] == 38 ? SOCK_SEQPACKET : SOCK_STREAM;
		low[2] = 0;
		long fd = call32(102, 1, low);
		printf("socketcall %d %s\n", families[i], fd < 0 ? strerrorname_np(-fd) : "OPENED");
		/* 359 is i386's own socket(2). */
		__asm__ volatile("int $0x80"
				 : "=a"(fd)
				 : "a"(359), "b"(families[i]), "c"(low[1]), "d"(0)
				 : "memory", "r8", "r9", "r10", "r11");
		printf("i386 %d %s\n", families[i], fd < 0 ? strerrorname_np(-fd) : "OPENED");
	}
	/* A 32-bit program's ordinary connection: a listener of ours, and socketcall(connect). */
	struct sockaddr_in *address = (struct sockaddr_in *)(low + 16);
	socklen_t length = sizeof *address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)address, sizeof *address);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)address, &length);
	low[0] = AF_INET;
	low[1] = SOCK_STREAM;
	low[2] = 0;
	low[0] = call32(102, 1, low);
	low[1] = (uint32_t)(uintptr_t)address;
	low[2] = sizeof *address;
	long result = call32(102, 3, low);
	printf("connect %s\n", result < 0 ? strerrorname_np(-result) : "OPENED");
#endif
	return 0;
}

static int swap(const char *a, const char *b)
{
	puts("swapping");
	fflush(stdout);
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */))
			return perror("renameat2"), 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "trace"))
		trace();
	if (argc == 2 && !strcmp(argv[1], "handle"))
		return handle();
	if (argc == 2 && !strcmp(argv[1], "sockets"))
		return sockets();
	if (argc == 4 && !strcmp(argv[1], "swap"))
		return swap(argv[2], argv[3]);
	return 2;
}
