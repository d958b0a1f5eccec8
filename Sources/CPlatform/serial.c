#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int speed_of(int baud, speed_t *speed) {
    static const struct {
        int baud;
        speed_t speed;
    } known[] = {
        {300, B300},       {600, B600},       {1200, B1200},     {2400, B2400},     {4800, B4800},
        {9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},   {115200, B115200},
        {230400, B230400}, {460800, B460800}, {500000, B500000}, {921600, B921600},
    };
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) {
        if (known[index].baud == baud) {
            *speed = known[index].speed;
            return 1;
        }
    }
    return 0;
}

int campus_serial_open(const char *path, int baud, char parity, int data_bits, int stop_bits) {
    speed_t speed;
    if (!speed_of(baud, &speed)) return -EINVAL;
    int descriptor = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    struct termios settings;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 || tcgetattr(descriptor, &settings) != 0) goto failed;
    cfmakeraw(&settings);
    settings.c_cflag &= ~(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
    settings.c_cflag |= CLOCAL | CREAD | (data_bits == 7 ? CS7 : CS8);
    if (parity != 'N') settings.c_cflag |= PARENB;
    if (parity == 'O') settings.c_cflag |= PARODD;
    if (stop_bits == 2) settings.c_cflag |= CSTOPB;
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    if (cfsetispeed(&settings, speed) != 0 || cfsetospeed(&settings, speed) != 0) goto failed;
    if (tcsetattr(descriptor, TCSANOW, &settings) != 0 || ioctl(descriptor, TIOCEXCL) != 0) goto failed;
    tcflush(descriptor, TCIOFLUSH);
    return descriptor;
failed:;
    int code = errno;
    close(descriptor);
    return -code;
}
